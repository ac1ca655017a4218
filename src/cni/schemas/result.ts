// A result since 0.3.0, as it comes back in prevResult or from an IPAM plugin; src/cni/result.ts brings older ones to this shape.
import { dns, route } from './network.ts'
import { address, anything, integer, list, object, prefix, type Schema, text } from './schema.ts'

export const result: Schema = object(
  {
    cniVersion: text('a version'),
    interfaces: list(
      object(
        {
          name: text('the name of a link'),
          mac: text('a MAC address'),
          mtu: integer(0, 0xffff_ffff),
          sandbox: text('a path', 4095),
          socketPath: text('a path', 4095),
          pciID: text('a PCI address'),
        },
        { open: true },
      ),
      'a list of interfaces',
    ),
    ips: list(
      object(
        { version: anything, interface: integer(-1, 0x7fff_ffff), address: prefix, gateway: address },
        { required: ['address'], open: true, want: 'an object with the key address' },
      ),
      'a list of addresses',
    ),
    routes: list(route, 'a list of routes'),
    dns,
  },
  { open: true },
)
