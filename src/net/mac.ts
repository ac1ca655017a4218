// MAC addresses of Ethernet: the forms that people write, and the one that the kernel shows.
import { macText } from '../wire/codec.ts'
import { unwanted } from '../errors.ts'
import { getrandom } from '../sys/syscalls.ts'

const FORMS = [
  /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i,
  /^[0-9a-f]{2}(-[0-9a-f]{2}){5}$/i,
  /^[0-9a-f]{4}(\.[0-9a-f]{4}){2}$/i,
]
const MULTICAST = 1

/** `02:42:ac:11:00:02` from that, `02-42-AC-11-00-02` or `0242.ac11.0002`. Throws BAD_CONFIG naming `key`. */
export function parseMac(value: string, key: string): string {
  const mac = macOf(value)
  if (mac === undefined) throw unwanted(key, 'the MAC address of one link, such as 02:42:ac:11:00:02', value)
  return mac
}

/** As `parseMac`, but answers undefined to what no link can have: other forms, multicast addresses, all zeros. */
export function macOf(text: string): string | undefined {
  if (!FORMS.some(form => form.test(text))) return undefined
  const octets = Array.from(text.replace(/[^0-9a-f]/gi, '').matchAll(/../g), ([octet]) => octet.toLowerCase())
  if (Number.parseInt(octets[0] ?? '', 16) & MULTICAST) return undefined
  return octets.every(octet => octet === '00') ? undefined : octets.join(':')
}

/** A random one: unicast and locally administered. */
export function randomMac(): string {
  const octets = new Uint8Array(6)
  getrandom(octets)
  octets[0] = ((octets[0] as number) & 0xfc) | 0x02
  return macText(octets)
}
