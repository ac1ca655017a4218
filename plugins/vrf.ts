// The executable `vrf`.
import { vrf as driver } from '../src/chained/vrf/vrf.ts'
import { validate } from '../src/cni/generated/vrf.js'
import { linklessPlugin } from '../src/cni/linkless-plugin.ts'
import { vrf as schema } from '../src/cni/schemas/vrf.ts'
import { atLeast, VERSIONS } from '../src/cni/version.ts'

export const plugin = linklessPlugin({
  driver,
  document: { schema, validate },
  versions: VERSIONS.filter(version => atLeast(version, '0.3.1')),
  chained: true,
})
