// The configuration of the host-local IPAM plugin, alone or as the `ipam` of a network.
import { network, route } from './network.ts'
import { address, list, object, path, prefix, type Schema, text } from './schema.ts'

const range = { subnet: prefix, rangeStart: address, rangeEnd: address, gateway: address }
const rangeSets = list(list(object(range), 'a list of ranges'), 'a list of lists of ranges')

// What else stands at the top is the network plugin's.
export const hostLocal: Schema = object(
  {
    ...network,
    ipam: object({
      type: text('the name of an IPAM plugin'),
      ...range,
      subnet: { ...prefix, emptyIsUnset: true },
      ranges: rangeSets,
      routes: list(route, 'a list of routes'),
      resolvConf: path,
      dataDir: path,
    }),
    runtimeConfig: object({ ...network['runtimeConfig']?.properties, ipRanges: rangeSets }, { open: true }),
  },
  { open: true },
)
