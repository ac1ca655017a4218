// The family `nlctrl`, which knows the others: CTRL_CMD_GETFAMILY, include/uapi/linux/genetlink.h
import { attributes, nested, numbered } from '../../wire/attributes.ts'
import { type Codec, flagSet, string, u16, u32 } from '../../wire/codec.ts'
import type { RequestOf, ValueOfMessage } from '../../wire/message.ts'
import type { NetlinkSocket } from '../socket.ts'
import { genericMessage } from './header.ts'

/** GENL_ID_CTRL: the one number that is the same everywhere. */
const CONTROLLER = 16

/** CTRL_ATTR_OP_* */
const operation = attributes({
  id: [1, u32],
  /** GENL_ADMIN_PERM and its like. */
  flags: [2, flagSet(u32, { admin: 0x1, do: 0x2, dump: 0x4, policy: 0x8, namespaceAdmin: 0x10 })],
})

/** CTRL_ATTR_MCAST_GRP_* */
const group = attributes({ name: [1, string], id: [2, u32] })

/** The nests around carry no flag. */
function plain<T>(codec: Codec<T>): Codec<readonly T[]> {
  const { encode, decode, locate } = numbered(codec)
  return { encode, decode, ...(locate === undefined ? {} : { locate }) }
}

/** CTRL_ATTR_* */
const family = attributes({
  id: [1, u16],
  name: [2, string],
  familyVersion: [3, u32],
  headerSize: [4, u32],
  maximalAttribute: [5, u32],
  operations: [6, plain(operation)],
  groups: [7, plain(group)],
  /** What the family takes; not read here. */
  policy: [8, nested(attributes({}))],
  operationPolicy: [9, nested(attributes({}))],
  operation: [10, u32],
})

export const newFamily = genericMessage('CTRL_CMD_NEWFAMILY', { family: CONTROLLER, command: 1 }, family)
export const getFamily = genericMessage('CTRL_CMD_GETFAMILY', { family: CONTROLLER, command: 3 }, family)

export type Family = ValueOfMessage<typeof newFamily>
export type FamilyRequest = RequestOf<typeof getFamily>

/** The family of this name, with the number that the kernel has given it. Throws ENOENT where there is none. */
export async function familyOf(
  socket: Pick<NetlinkSocket, 'get'>,
  name: string,
): Promise<Family & { readonly id: number }> {
  const { id = 0, ...rest } = await socket.get(getFamily, { name }, newFamily)
  return { ...rest, id }
}
