// Internet addresses: 4 or 16 bytes on the wire, text elsewhere.
import type { Codec } from './codec.ts'

/** An IPv4 or IPv6 address, told apart by its length: `10.0.0.1`, `2001:db8::1` (RFC 5952). */
export const address: Codec<string> = {
  encode: (out, value) => out.write(addressBytes(value)),
  decode: input => {
    if (input.left !== 4 && input.left !== 16) throw input.error(`want 4 or 16 bytes, got ${input.left}`)
    return addressText(input.rest())
  },
}

/** As `readAddress`, but throws TypeError at what is no address. */
export function addressBytes(text: string): Uint8Array {
  const octets = readAddress(text)
  if (octets === undefined) throw new TypeError(`"${text}" is no internet address`)
  return octets
}

/**
 * The bytes of an address. IPv4 is four decimal numbers without leading zeros; IPv6 is as RFC 4291 section 2.2 says,
 * without a zone. Undefined for anything else.
 */
export function readAddress(text: string): Uint8Array | undefined {
  const octets = text.includes(':') ? ipv6(text) : ipv4(text)
  return octets && new Uint8Array(octets)
}

/** The one text form of the address of 4 or 16 bytes. */
export function addressText(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join('.')
  const view = new DataView(octets.buffer, octets.byteOffset)
  const groups: number[] = []
  for (let at = 0; at < 16; at += 2) groups.push(view.getUint16(at))
  const { start, length } = longestZeros(groups)
  if (start === 0 && length === 5 && groups[5] === 0xffff) return `::ffff:${octets.slice(12).join('.')}`
  const hex = (part: readonly number[]): string => part.map(group => group.toString(16)).join(':')
  return length < 2 ? hex(groups) : `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`
}

const OCTET = /^(?:0|[1-9]\d{0,2})$/
const GROUP = /^[0-9a-f]{1,4}$/i

function ipv4(text: string): number[] | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every(part => OCTET.test(part) && Number(part) <= 255)) return undefined
  return parts.map(Number)
}

function ipv6(text: string): number[] | undefined {
  const halves = text.split('::').map(half => (half === '' ? [] : half.split(':')))
  const [head = [], tail] = halves
  if (halves.length > 2) return undefined
  const last = (tail ?? head).at(-1)
  const dotted = last?.includes('.') === true ? ipv4(last) : []
  if (dotted?.length === 4) (tail ?? head).pop()
  const groups = [...head, ...(tail ?? [])]
  if (dotted === undefined || !groups.every(group => GROUP.test(group))) return undefined
  const missing = 16 - 2 * groups.length - dotted.length
  if (tail === undefined ? missing !== 0 : missing < 2) return undefined
  const octets = (part: readonly string[]): number[] =>
    part.flatMap(group => [parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff])
  return [...octets(head), ...Array.from({ length: missing }, () => 0), ...octets(tail ?? []), ...dotted]
}

/** The first of the longest runs of zeros. */
function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  for (let start = 0; start < groups.length; start++) {
    let length = 0
    while (groups[start + length] === 0) length++
    if (length > best.length) best = { start, length }
  }
  return best
}
