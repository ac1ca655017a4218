// The configuration of the tap plugin.
import { network } from './network.ts'
import { flag, integer, maybe, object, type Schema } from './schema.ts'

/** The last number is no user's and no group's: it is -1. */
const id = integer(0, 0xffff_fffe)

export const tap: Schema = object({
  ...network,
  multiQueue: flag,
  mtu: integer(0, 65535),
  mac: maybe('a MAC address, such as 02:42:ac:11:00:02', 64),
  owner: id,
  group: id,
  selinuxContext: maybe('an SELinux context, such as system_u:system_r:container_t:s0'),
  bridge: maybe('the name of a bridge'),
})
