// The configuration of tnet-ipam: `{"ipam": {"type": "tnet-ipam", "network": "NAME"}}`.
import { unwanted } from '../../errors.ts'
import { checkedName } from '../../net/names.ts'
import type { Route } from '../ipam.ts'
import { parseRoutes } from '../routes.ts'

export interface TnetIpamConfig {
  /** The name of a network that tnet keeps. */
  readonly network: string
  readonly routes: readonly Route[]
}

/** Throws BAD_CONFIG naming key, value and what was wanted. */
export function parseTnetIpam(ipam: Readonly<Record<string, unknown>>): TnetIpamConfig {
  const { network } = ipam
  if (typeof network !== 'string') throw unwanted('ipam.network', 'the name of a network of tnet', network)
  return { network: checkedName('network', network), routes: parseRoutes(ipam['routes'], 'ipam.routes') }
}
