// The executable `macvlan`.
import { validate } from '../src/cni/generated/macvlan.js'
import { networkPlugin } from '../src/cni/network-plugin.ts'
import { macvlan as schema } from '../src/cni/schemas/macvlan.ts'
import { macvlan as driver } from '../src/drivers/macvlan.ts'

export const plugin = networkPlugin({ driver, document: { schema, validate } })
