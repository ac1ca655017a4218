// The executable `firewall`.
import { firewall as driver } from '../src/chained/firewall/firewall.ts'
import { validate } from '../src/cni/generated/firewall.js'
import { linklessPlugin } from '../src/cni/linkless-plugin.ts'
import { firewall as schema } from '../src/cni/schemas/firewall.ts'

export const plugin = linklessPlugin({
  driver,
  document: { schema, validate },
  versions: ['0.4.0', '1.0.0', '1.1.0'],
  chained: true,
})
