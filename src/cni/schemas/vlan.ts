// The configuration of the vlan plugin.
import { network } from './network.ts'
import { flag, integer, maybe, object, type Schema } from './schema.ts'

export const vlan: Schema = object({
  ...network,
  master: maybe('the name of a link'),
  vlanId: integer(1, 4094),
  mtu: integer(0, 65535),
  linkInContainer: flag,
  enabledad: flag,
})
