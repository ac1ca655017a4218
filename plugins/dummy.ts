// The executable `dummy`.
import { validate } from '../src/cni/generated/dummy.js'
import { networkPlugin } from '../src/cni/network-plugin.ts'
import { dummy as schema } from '../src/cni/schemas/dummy.ts'
import { dummy as driver } from '../src/drivers/dummy.ts'

export const plugin = networkPlugin({ driver, document: { schema, validate }, argumentsAreForIpam: true })
