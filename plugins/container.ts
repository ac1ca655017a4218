// The executable `container`.
import { validate } from '../src/cni/generated/container.js'
import { linklessPlugin } from '../src/cni/linkless-plugin.ts'
import { publishedPorts } from '../src/cni/published.ts'
import { container as schema } from '../src/cni/schemas/container.ts'
import { container as driver, type ContainerConfig } from '../src/drivers/container.ts'

export const plugin = linklessPlugin({
  driver,
  document: { schema, validate },
  chained: false,
  config: ({ config, env }): ContainerConfig => ({
    ...(typeof config['container'] === 'string' ? { container: config['container'] } : {}),
    ports: publishedPorts(config),
    folders: [`${env['TNET_RUN_DIR'] || '/run/tnet'}/netns`, '/run/netns'],
  }),
})
