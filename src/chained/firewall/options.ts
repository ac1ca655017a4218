// What the configuration of the firewall plugin says.
import type { IngressPolicy } from '../../net/admission.ts'
import type { Backend } from '../../net/gates.ts'
import { unwanted } from '../../errors.ts'

export interface FirewallConfig {
  readonly backend?: '' | Backend | undefined
  readonly iptablesAdminChainName?: string | undefined
  readonly firewalldZone?: string | undefined
  readonly ingressPolicy?: '' | 'open' | IngressPolicy | undefined
}

export interface FirewallOptions {
  /** Left out: what the host runs. */
  readonly backend: Backend | undefined
  readonly adminChain: string
  readonly zone: string
  readonly policy: IngressPolicy | 'open'
}

const ADMIN_CHAIN = 'CNI-ADMIN'
/** Chains that iptables or the plugin has for something else. */
const TAKEN = /^(INPUT|FORWARD|OUTPUT|CNI-FORWARD|CNI-ISOLATION-STAGE-[12])$/

export function parse(config: FirewallConfig): FirewallOptions {
  const { iptablesAdminChainName: chain = ADMIN_CHAIN } = config
  if (!/^[^\s!-]\S*$/.test(chain) || TAKEN.test(chain) || Buffer.byteLength(chain) > 28) {
    throw unwanted(
      'iptablesAdminChainName',
      'the name of a chain of its own, at most 28 bytes without blanks',
      chain,
    )
  }
  return parseLeaving(config)
}

export function parseLeaving(config: FirewallConfig): FirewallOptions {
  return {
    backend: config.backend || undefined,
    adminChain: config.iptablesAdminChainName || ADMIN_CHAIN,
    zone: config.firewalldZone || 'trusted',
    policy: config.ingressPolicy || 'open',
  }
}
