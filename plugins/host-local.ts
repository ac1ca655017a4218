// The executable `host-local`.
import { hostLocal } from '../src/cni/host-local.ts'
import { ipamPlugin } from '../src/cni/ipam-plugin.ts'

export const plugin = ipamPlugin(hostLocal)
