// The executable `host`.
import { validate } from '../src/cni/generated/host.js'
import { linklessPlugin } from '../src/cni/linkless-plugin.ts'
import { publishedPorts } from '../src/cni/published.ts'
import { host as schema } from '../src/cni/schemas/host.ts'
import { host as driver } from '../src/drivers/host.ts'

export const plugin = linklessPlugin({
  driver,
  document: { schema, validate },
  chained: false,
  ownNetns: true,
  config: ({ config }) => ({ ports: publishedPorts(config) }),
})
