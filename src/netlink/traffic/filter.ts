// Filters of traffic: RTM_NEWTFILTER and its kin. What differs between kinds is a row of `filterKinds`.
import { attributes, by } from '../../wire/attributes.ts'
import { message, type RequestOf, type ValueOfMessage } from '../../wire/message.ts'
import { commonRows } from './attributes.ts'
import { filterTcmsg } from './header.ts'
import { matchall } from './kinds/matchall.ts'
import { u32Filter } from './kinds/u32.ts'

/** Kinds that are not here keep their options as an unknown attribute. */
export const filterKinds = { u32: u32Filter, matchall }

const filter = attributes({ ...commonRows, options: [2, by('kind', filterKinds)] })

export const newFilter = message('RTM_NEWTFILTER', 44, filterTcmsg, filter)
export const deleteFilter = message('RTM_DELTFILTER', 45, filterTcmsg, filter)
export const getFilter = message('RTM_GETTFILTER', 46, filterTcmsg, filter)

/** A filter as the kernel shows it. */
export type Filter = ValueOfMessage<typeof newFilter>
export type FilterRequest = RequestOf<typeof newFilter>

/** Packets of every kind: ETH_P_ALL, include/uapi/linux/if_ether.h */
export const ETH_P_ALL = 3
