// The executable `bridge`.
import { validate } from '../src/cni/generated/bridge.js'
import { networkPlugin } from '../src/cni/network-plugin.ts'
import { bridge as schema } from '../src/cni/schemas/bridge.ts'
import { bridge as driver } from '../src/drivers/bridge/bridge.ts'

export const plugin = networkPlugin({ driver, document: { schema, validate } })
