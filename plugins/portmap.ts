// The executable `portmap`.
import { portmap as driver } from '../src/chained/portmap/portmap.ts'
import { validate } from '../src/cni/generated/portmap.js'
import { linklessPlugin } from '../src/cni/linkless-plugin.ts'
import { portmap as schema } from '../src/cni/schemas/portmap.ts'

export const plugin = linklessPlugin({
  driver,
  document: { schema, validate },
  chained: true,
  config({ config, warn }) {
    if (config['externalSetMarkChain'] !== undefined) {
      warn(
        'externalSetMarkChain: a chain of iptables, which is not called: what needs it is masqueraded without a mark',
      )
    }
    return config
  },
})
