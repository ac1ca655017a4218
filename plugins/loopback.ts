// The executable `loopback`.
import { validate } from '../src/cni/generated/loopback.js'
import { linklessPlugin } from '../src/cni/linkless-plugin.ts'
import { loopback as schema } from '../src/cni/schemas/loopback.ts'
import { loopback as driver } from '../src/drivers/loopback.ts'

export const plugin = linklessPlugin({ driver, document: { schema, validate }, chained: false })
