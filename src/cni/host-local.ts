// host-local as a CNI plugin and as the `ipam` of others.
import { parseHostLocal, parseHostLocalTeardown } from '../ipam/host-local/config.ts'
import { hostLocal as leases } from '../ipam/host-local/host-local.ts'
import { validate } from './generated/host-local.js'
import type { IpamKind } from './ipam-plugin.ts'
import { isObject } from './json.ts'
import { hostLocal as schema } from './schemas/host-local.ts'

export const hostLocal: IpamKind = {
  name: 'host-local',
  document: { schema, validate },
  async open({ config, version: cniVersion, environment: { command } }) {
    const { ipam, runtimeConfig } = config
    const section = isObject(ipam) ? ipam : {}
    if (command === 'DEL' || command === 'GC') return leases(parseHostLocalTeardown(section))
    const ipRanges = isObject(runtimeConfig) ? runtimeConfig['ipRanges'] : undefined
    return leases(parseHostLocal({ ipam: section, ipRanges, cniVersion }))
  },
}
