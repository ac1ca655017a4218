// The table for frames inside bridges.
import { cmp } from '../../netlink/netfilter/expr/cmp.ts'
import { immediate } from '../../netlink/netfilter/expr/immediate.ts'
import { lookup } from '../../netlink/netfilter/expr/lookup.ts'
import { meta } from '../../netlink/netfilter/expr/meta.ts'
import { type Field, fields, payload } from '../../netlink/netfilter/expr/payload.ts'
import { octets } from './families.ts'
import { BRIDGE, type OurChain, type OurTable, type Plan } from './tables.ts'

const ETH_P_ARP = octets(0x08, 0x06)
const CHECKED = [meta.load('iifname', 1), lookup.in(1, 'spoofcheck')]

function foreign(address: Field) {
  return [
    meta.load('iifname', 1),
    payload.load(address, 2),
    lookup.notIn(1, 'spoofcheck_mac'),
    immediate.drop(),
  ]
}

const SPOOF_TABLE: OurTable = {
  ...BRIDGE,
  sets: { spoofcheck: ['ifname'], spoofcheck_mac: ['ifname', 'ether_addr'] },
  chains: {
    prerouting: {
      type: 'filter',
      hook: 'prerouting',
      priority: -300, // NF_BR_PRI_NAT_DST_BRIDGED: before the bridge decides where a frame goes
      rules: [
        // iifname @spoofcheck iifname . ether saddr != @spoofcheck_mac drop
        [...CHECKED, ...foreign(fields.etherSaddr)],
        // iifname @spoofcheck iifname . arp saddr ether != @spoofcheck_mac drop
        [...CHECKED, meta.load('protocol', 1), cmp(1, '==', ETH_P_ARP), ...foreign(fields.arpSaddrEther)],
      ].map((expressions, id) => ({ id, expressions })),
    },
  },
}

/** No frame between an isolated port and another one; what the bridge itself sends and gets does not come by here. */
const FORWARD: OurChain = {
  type: 'filter',
  hook: 'forward',
  priority: -200, // NF_BR_PRI_FILTER_BRIDGED
  rules: [
    // iifname @isolated drop
    [meta.load('iifname', 1), lookup.in(1, 'isolated'), immediate.drop()],
    // oifname @isolated drop
    [meta.load('oifname', 1), lookup.in(1, 'isolated'), immediate.drop()],
  ].map((expressions, id) => ({ id, expressions })),
}

const ISOLATING_TABLE: OurTable = {
  ...SPOOF_TABLE,
  sets: { ...SPOOF_TABLE.sets, isolated: ['ifname'] },
  chains: { ...SPOOF_TABLE.chains, forward: FORWARD },
}

/** The table; with what isolates ports, where that is asked for or is there already. */
export function bridgePlan(isolating = false): Plan {
  return {
    ...BRIDGE,
    tableWith({ rules, sets }) {
      const isThere = sets.includes('isolated') || rules.some(({ chain }) => chain === 'forward')
      return isolating || isThere ? ISOLATING_TABLE : SPOOF_TABLE
    },
  }
}
