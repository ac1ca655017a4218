// Queueing disciplines: RTM_NEWQDISC and its kin. What differs between kinds is a row of `qdiscKinds`.
import { attributes, by } from '../../wire/attributes.ts'
import { message, type RequestOf, type ValueOfMessage } from '../../wire/message.ts'
import { commonRows } from './attributes.ts'
import { tcmsg } from './header.ts'
import { tbf } from './kinds/tbf.ts'

const none = attributes({})

/** Kinds that are not here keep their options as an unknown attribute. */
export const qdiscKinds = { tbf, ingress: none, clsact: none }

const qdisc = attributes({ ...commonRows, options: [2, by('kind', qdiscKinds)] })

export const newQdisc = message('RTM_NEWQDISC', 36, tcmsg, qdisc)
export const deleteQdisc = message('RTM_DELQDISC', 37, tcmsg, qdisc)
export const getQdisc = message('RTM_GETQDISC', 38, tcmsg, qdisc)

/** A qdisc as the kernel shows it. */
export type Qdisc = ValueOfMessage<typeof newQdisc>
export type QdiscRequest = RequestOf<typeof newQdisc>
