// The executable `tuning`.
import { tuning as driver } from '../src/chained/tuning/tuning.ts'
import { validate } from '../src/cni/generated/tuning.js'
import { linklessPlugin } from '../src/cni/linkless-plugin.ts'
import { tuning as schema } from '../src/cni/schemas/tuning.ts'
import { tuningConfig as config } from '../src/cni/tuning.ts'

export const plugin = linklessPlugin({ driver, document: { schema, validate }, chained: true, config })
