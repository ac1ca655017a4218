// The keys of plugins that use a namespace as it is: those of every network, and the ports that they cannot publish.
import { network } from './network.ts'
import { anything, list, type Schema } from './schema.ts'

export const shared: Readonly<Record<string, Schema>> = {
  ...network,
  runtimeConfig: {
    ...network['runtimeConfig'],
    properties: {
      ...network['runtimeConfig']?.properties,
      portMappings: list(anything, 'a list of ports to publish'),
    },
  },
}
