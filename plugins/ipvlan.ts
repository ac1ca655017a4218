// The executable `ipvlan`.
import { withChainedMaster } from '../src/cni/chained-master.ts'
import { validate } from '../src/cni/generated/ipvlan.js'
import { networkPlugin } from '../src/cni/network-plugin.ts'
import { ipvlan as schema } from '../src/cni/schemas/ipvlan.ts'
import { ipvlan as driver } from '../src/drivers/ipvlan.ts'

export const plugin = networkPlugin({
  driver,
  document: { schema, validate },
  argumentsAreForIpam: true,
  addressesOfPrevious: true,
  added: withChainedMaster,
})
