// Bridges and their ports: IFLA_BR_* and IFLA_BRPORT_*, include/uapi/linux/if_link.h
// Times and timers are in hundredths of a second.
import { attributes } from '../../../wire/attributes.ts'
import { be16, bool, bytes, flag, flagSet, mac, u16, u32, u64, u8 } from '../../../wire/codec.ts'
import { struct } from '../../../wire/struct.ts'

/** struct ifla_bridge_id { __u8 prio[2]; __u8 addr[6]; } as one row of octets. */
const bridgeId = mac

/** BR_BOOLOPT_* */
const options = flagSet(u32, {
  no_ll_learn: 0x1,
  mcast_vlan_snooping: 0x2,
  mst_enable: 0x4,
  mdb_offload_fail_notification: 0x8,
})

export const bridge = attributes({
  forwardDelay: [1, u32],
  helloTime: [2, u32],
  maxAge: [3, u32],
  ageingTime: [4, u32],
  /** 0 off, 1 by the kernel, 2 by a program. */
  stpState: [5, u32],
  priority: [6, u16],
  vlanFiltering: [7, bool],
  /** The Ethernet type of the tags: 0x8100. */
  vlanProtocol: [8, be16],
  groupForwardMask: [9, u16],
  rootId: [10, bridgeId],
  bridgeId: [11, bridgeId],
  rootPort: [12, u16],
  rootPathCost: [13, u32],
  topologyChange: [14, bool],
  topologyChangeDetected: [15, bool],
  helloTimer: [16, u64],
  tcnTimer: [17, u64],
  topologyChangeTimer: [18, u64],
  gcTimer: [19, u64],
  groupAddress: [20, mac],
  /** In a request: forget all that was learned. */
  fdbFlush: [21, flag],
  multicastRouter: [22, u8],
  multicastSnooping: [23, bool],
  multicastQueryUseIfaddr: [24, bool],
  multicastQuerier: [25, bool],
  multicastHashElasticity: [26, u32],
  multicastHashMax: [27, u32],
  multicastLastMemberCount: [28, u32],
  multicastStartupQueryCount: [29, u32],
  multicastLastMemberInterval: [30, u64],
  multicastMembershipInterval: [31, u64],
  multicastQuerierInterval: [32, u64],
  multicastQueryInterval: [33, u64],
  multicastQueryResponseInterval: [34, u64],
  multicastStartupQueryInterval: [35, u64],
  nfCallIptables: [36, bool],
  nfCallIp6tables: [37, bool],
  nfCallArptables: [38, bool],
  /** The VLAN of untagged frames; 0 for none. */
  vlanDefaultPvid: [39, u16],
  vlanStatistics: [41, bool],
  multicastStatistics: [42, bool],
  multicastIgmpVersion: [43, u8],
  multicastMldVersion: [44, u8],
  vlanStatisticsPerPort: [45, bool],
  /** `mask` says which of the options a request changes. */
  booleanOptions: [46, struct({ value: options, mask: options })],
  multicastQuerierState: [47, bytes],
  fdbLearned: [48, u32],
  fdbMaxLearned: [49, u32],
})

export const bridgePort = attributes({
  /** 0 disabled, 1 listening, 2 learning, 3 forwarding, 4 blocking. */
  state: [1, u8],
  priority: [2, u16],
  cost: [3, u32],
  hairpin: [4, bool],
  guard: [5, bool],
  protect: [6, bool],
  fastLeave: [7, bool],
  learning: [8, bool],
  unicastFlood: [9, bool],
  proxyArp: [10, bool],
  learningSync: [11, bool],
  proxyArpWifi: [12, bool],
  rootId: [13, bridgeId],
  bridgeId: [14, bridgeId],
  designatedPort: [15, u16],
  designatedCost: [16, u16],
  id: [17, u16],
  number: [18, u16],
  topologyChangeAck: [19, bool],
  configPending: [20, bool],
  messageAgeTimer: [21, u64],
  forwardDelayTimer: [22, u64],
  holdTimer: [23, u64],
  /** In a request: forget what was learned on the port. */
  flush: [24, flag],
  multicastRouter: [25, u8],
  multicastFlood: [27, bool],
  multicastToUnicast: [28, bool],
  vlanTunnel: [29, bool],
  broadcastFlood: [30, bool],
  groupForwardMask: [31, u16],
  neighbourSuppression: [32, bool],
  /** Isolated ports reach only those that are not. */
  isolated: [33, bool],
  /** The index of the port that takes over; 0 for none. */
  backupPort: [34, u32],
  mrpRingOpen: [35, bool],
  mrpInOpen: [36, bool],
  multicastEhtHostsLimit: [37, u32],
  multicastEhtHostsCount: [38, u32],
  locked: [39, bool],
  mab: [40, bool],
  multicastGroups: [41, u32],
  multicastMaxGroups: [42, u32],
  neighbourVlanSuppression: [43, bool],
  backupNexthopId: [44, u32],
})
