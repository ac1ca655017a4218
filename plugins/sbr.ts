// The executable `sbr`.
import { sbr as driver } from '../src/chained/sbr/sbr.ts'
import { validate } from '../src/cni/generated/sbr.js'
import { linklessPlugin } from '../src/cni/linkless-plugin.ts'
import { sbr as schema } from '../src/cni/schemas/sbr.ts'

export const plugin = linklessPlugin({ driver, document: { schema, validate }, chained: true })
