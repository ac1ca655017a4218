// The configuration of the macvlan plugin.
import { network } from './network.ts'
import { flag, integer, maybe, object, oneOf, type Schema } from './schema.ts'

export const macvlan: Schema = object({
  ...network,
  master: maybe('the name of a link'),
  mode: oneOf('', 'bridge', 'private', 'vepa', 'passthru'),
  mtu: integer(0, 65535),
  mac: maybe('a MAC address, such as 02:42:ac:11:00:02', 64),
  linkInContainer: flag,
  bcqueuelen: integer(0, 0xffff_ffff),
  enabledad: flag,
  hostAccess: flag,
})
