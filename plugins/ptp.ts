// The executable `ptp`.
import { validate } from '../src/cni/generated/ptp.js'
import { networkPlugin } from '../src/cni/network-plugin.ts'
import { ptp as schema } from '../src/cni/schemas/ptp.ts'
import { ptp as driver } from '../src/drivers/ptp/ptp.ts'

export const plugin = networkPlugin({ driver, document: { schema, validate }, argumentsAreForIpam: true })
