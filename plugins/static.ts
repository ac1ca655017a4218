// The executable `static`.
import { ipamPlugin } from '../src/cni/ipam-plugin.ts'
import { staticIpam } from '../src/cni/static.ts'

export const plugin = ipamPlugin(staticIpam)
