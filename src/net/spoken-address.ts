// Addresses as people paste them from what other programs print. For the command line alone: configurations say exactly
// what they mean, and a plugin's call does not wait for ipaddr.js.
import ipaddr from 'ipaddr.js'
import { type Address, addressOf } from './ip.ts'

/** Besides what `addressOf` reads: IPv4 in disguise, as `::ffff:10.0.0.1`, and IPv6 with a zone, as `fe80::1%eth0`. */
export function spokenAddress(text: string): Address | undefined {
  const exact = addressOf(text)
  if (exact !== undefined || !ipaddr.IPv6.isValid(text)) return exact
  const [plain = ''] = ipaddr.process(text).toString().split('%')
  return addressOf(plain)
}
