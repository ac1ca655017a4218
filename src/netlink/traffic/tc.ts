// Traffic control, for src/netlink/index.ts: names that would be ambiguous beside those of links and rules.
export { actionKinds, actions } from './action.ts'
export {
  deleteFilter,
  ETH_P_ALL,
  type Filter,
  filterKinds,
  type FilterRequest,
  getFilter,
  newFilter,
} from './filter.ts'
export { handle, TC_H_CLSACT_EGRESS, TC_H_CLSACT_INGRESS, TC_H_INGRESS, TC_H_ROOT } from './header.ts'
export { TICK_NANOSECONDS } from './kinds/tbf.ts'
export { deleteQdisc, getQdisc, newQdisc, type Qdisc, qdiscKinds, type QdiscRequest } from './qdisc.ts'
