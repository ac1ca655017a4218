// The configuration of the ipvlan plugin.
import { network } from './network.ts'
import { flag, integer, maybe, object, oneOf, type Schema } from './schema.ts'

export const ipvlan: Schema = object({
  ...network,
  master: maybe('the name of a link'),
  mode: oneOf('', 'l2', 'l3', 'l3s'),
  mtu: integer(0, 65535),
  linkInContainer: flag,
  enabledad: flag,
})
