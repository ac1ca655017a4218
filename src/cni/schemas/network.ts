// The keys that every network configuration may have.
import {
  address,
  addressOrPrefix,
  anything,
  integer,
  list,
  maybe,
  object,
  prefix,
  type Schema,
  text,
} from './schema.ts'

export const dns: Schema = object({
  nameservers: list(text('the address of a name server')),
  domain: text('a domain'),
  search: list(text('a domain')),
  options: list(text('an option of resolv.conf')),
})

export const route: Schema = object(
  {
    dst: prefix,
    gw: address,
    mtu: integer(0, 0xffff_ffff),
    advmss: integer(0, 0xffff_ffff),
    priority: integer(0, 0xffff_ffff),
    table: integer(0, 0xffff_ffff),
    scope: integer(0, 255),
  },
  { required: ['dst'] },
)

const mac = maybe('a MAC address, such as 02:42:ac:11:00:02', 64)

/** What the runtime adds for a capability, and what it passes on from its caller. */
const asked = { mac, ips: list(addressOrPrefix, 'a list of IP addresses') }

export const network: Readonly<Record<string, Schema>> = {
  cniVersion: text('a version'),
  name: text('a name', 4095),
  type: text('the name of a plugin'),
  ipam: object({ type: maybe('the name of an IPAM plugin') }, { open: true }),
  dns,
  args: object({ cni: object({ ...asked, labels: anything }, { open: true }) }, { open: true }),
  runtimeConfig: object({ ...asked, ipRanges: anything }, { open: true }),
  prevResult: { type: 'object', want: 'the result of the plugin before', open: true },
  capabilities: anything,
  'cni.dev/valid-attachments': anything,
  'cni.dev/attachments': anything,
}
