// The configuration of tnet-ipam, which leases from a network that tnet keeps.
import { network, route } from './network.ts'
import { list, maybe, object, type Schema, text } from './schema.ts'

// What else stands at the top is the network plugin's.
export const tnetIpam: Schema = object(
  {
    ...network,
    ipam: object({
      type: text('the name of an IPAM plugin'),
      network: maybe('the name of a network of tnet'),
      routes: list(route, 'a list of routes'),
    }),
  },
  { open: true },
)
