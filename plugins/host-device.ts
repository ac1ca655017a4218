// The executable `host-device`.
import { validate } from '../src/cni/generated/host-device.js'
import { hostDevice as driver } from '../src/cni/host-device.ts'
import { networkPlugin } from '../src/cni/network-plugin.ts'
import { hostDevice as schema } from '../src/cni/schemas/host-device.ts'

export const plugin = networkPlugin({ driver, document: { schema, validate }, argumentsAreForIpam: true })
