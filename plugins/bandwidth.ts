// The executable `bandwidth`.
import { bandwidth as driver } from '../src/chained/bandwidth/bandwidth.ts'
import { validate } from '../src/cni/generated/bandwidth.js'
import { linklessPlugin } from '../src/cni/linkless-plugin.ts'
import { bandwidth as schema } from '../src/cni/schemas/bandwidth.ts'
import { atLeast, VERSIONS } from '../src/cni/version.ts'

export const plugin = linklessPlugin({
  driver,
  document: { schema, validate },
  versions: VERSIONS.filter(version => atLeast(version, '0.3.0')),
  chained: true,
})
