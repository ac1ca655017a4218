// The configuration of the static IPAM plugin, alone or as the `ipam` of a network.
import { dns, network, route } from './network.ts'
import { address, list, object, prefix, type Schema, text } from './schema.ts'

// What else stands at the top is the network plugin's.
export const staticIpam: Schema = object(
  {
    ...network,
    ipam: object({
      type: text('the name of an IPAM plugin'),
      addresses: list(
        object(
          { address: prefix, gateway: address },
          { required: ['address'], want: 'an address such as {"address": "10.1.0.5/24"}' },
        ),
        'a list of addresses',
      ),
      routes: list(route, 'a list of routes'),
      dns,
    }),
  },
  { open: true },
)
