// The executable `tap`.
import { validate } from '../src/cni/generated/tap.js'
import { networkPlugin } from '../src/cni/network-plugin.ts'
import { tap as schema } from '../src/cni/schemas/tap.ts'
import { tap as driver } from '../src/drivers/tap/tap.ts'

export const plugin = networkPlugin({ driver, document: { schema, validate } })
