// The executable `none`.
import { validate } from '../src/cni/generated/none.js'
import { linklessPlugin } from '../src/cni/linkless-plugin.ts'
import { publishedPorts } from '../src/cni/published.ts'
import { none as schema } from '../src/cni/schemas/none.ts'
import { none as driver } from '../src/drivers/none.ts'

export const plugin = linklessPlugin({
  driver,
  document: { schema, validate },
  chained: false,
  config: ({ config }) => ({ ports: publishedPorts(config) }),
})
