// The numbers by which one network namespace names others: include/uapi/linux/net_namespace.h
// A link's `linkNetnsid` is such a number.
import { attributes } from '../../wire/attributes.ts'
import { i32, u32, u8 } from '../../wire/codec.ts'
import { message, type RequestOf, type ValueOfMessage } from '../../wire/message.ts'
import { struct } from '../../wire/struct.ts'

/** What `nsid` says where none is assigned, and what a request says to let the kernel choose. */
export const NETNSA_NSID_NOT_ASSIGNED = -1

/** struct rtgenmsg { unsigned char rtgen_family; } */
const rtgenmsg = struct({ family: u8 })

/** NETNSA_* */
const netns = attributes({
  nsid: [1, i32],
  /** The namespace of this process. */
  pid: [2, u32],
  /** The namespace that this fd is of. */
  fd: [3, u32],
  targetNsid: [4, i32],
  currentNsid: [5, i32],
})

export const newNsid = message('RTM_NEWNSID', 88, rtgenmsg, netns)
export const deleteNsid = message('RTM_DELNSID', 89, rtgenmsg, netns)
export const getNsid = message('RTM_GETNSID', 90, rtgenmsg, netns)

export type Nsid = ValueOfMessage<typeof newNsid>
export type NsidRequest = RequestOf<typeof newNsid>
