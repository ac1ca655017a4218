// The executable `tnet-ipam`.
import { ipamPlugin } from '../src/cni/ipam-plugin.ts'
import { tnetIpam } from '../src/cni/tnet-ipam.ts'

export const plugin = ipamPlugin(tnetIpam)
