// The executable `vlan`.
import { validate } from '../src/cni/generated/vlan.js'
import { networkPlugin } from '../src/cni/network-plugin.ts'
import { vlan as schema } from '../src/cni/schemas/vlan.ts'
import { vlan as driver } from '../src/drivers/vlan.ts'

export const plugin = networkPlugin({ driver, document: { schema, validate }, argumentsAreForIpam: true })
