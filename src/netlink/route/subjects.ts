// What a Monitor can be told of by rtnetlink.
import type { Subject } from '../monitor.ts'
import { NETLINK_ROUTE } from '../descriptor.ts'
import { deleteAddress, newAddress } from './address.ts'
import { AF_UNSPEC } from './family.ts'
import {
  RTNLGRP_IPV4_IFADDR,
  RTNLGRP_IPV4_ROUTE,
  RTNLGRP_IPV4_RULE,
  RTNLGRP_IPV6_IFADDR,
  RTNLGRP_IPV6_ROUTE,
  RTNLGRP_IPV6_RULE,
  RTNLGRP_LINK,
  RTNLGRP_NEIGH,
  RTNLGRP_NSID,
} from './groups.ts'
import { deleteLink, newLink } from './link.ts'
import { deleteNeighbour, newNeighbour } from './neighbour.ts'
import { deleteNsid, newNsid } from './nsid.ts'
import { deleteRoute, newRoute } from './route.ts'
import { deleteRule, newRule } from './rule.ts'

const protocol = NETLINK_ROUTE

/** Bridges tell of their ports in messages of their own family, which are not whole. */
export const links = {
  protocol,
  groups: [RTNLGRP_LINK],
  types: [newLink, deleteLink],
  family: AF_UNSPEC,
} as const satisfies Subject

export const addresses = {
  protocol,
  groups: [RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR],
  types: [newAddress, deleteAddress],
} as const satisfies Subject

export const routes = {
  protocol,
  groups: [RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE],
  types: [newRoute, deleteRoute],
} as const satisfies Subject

export const rules = {
  protocol,
  groups: [RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE],
  types: [newRule, deleteRule],
} as const satisfies Subject

/** Entries of forwarding databases among them. */
export const neighbours = {
  protocol,
  groups: [RTNLGRP_NEIGH],
  types: [newNeighbour, deleteNeighbour],
} as const satisfies Subject

export const nsids = {
  protocol,
  groups: [RTNLGRP_NSID],
  types: [newNsid, deleteNsid],
} as const satisfies Subject
