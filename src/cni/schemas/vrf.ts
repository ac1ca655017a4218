// The configuration of the vrf plugin.
import { network } from './network.ts'
import { integer, maybe, object, type Schema } from './schema.ts'

export const vrf: Schema = object({
  ...network,
  vrfname: maybe('the name of a VRF'),
  table: integer(0, 0xffff_ffff),
})
