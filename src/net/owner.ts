// The name that everything of one interface of one container carries in the kernel.
import { digest } from './digest.ts'

/** One interface of one container on one network. */
export interface Owner {
  readonly network: string
  readonly containerId: string
  readonly ifname: string
}

/** An interface of a container, where the network is known. */
export type Attached = Pick<Owner, 'containerId' | 'ifname'>

/** What the alias of a port begins with behind which is a gateway: it is there for the sandboxes, and is none. */
export const GATEWAY = 'tnet-gateway '

/** Longest comment that nft shows and accepts is 128 bytes with its NUL; these bounds keep a tag within 127. */
const NETWORK = 40
const CONTAINER = 64
const DIGEST = 16

/**
 * The comment of all that belongs to an owner: `tnet <network> <containerId> <ifname>`, at most 127 bytes.
 * A component that is too long keeps its beginning, `~` and 64 bits of a digest.
 */
export function ownerTag(owner: Owner): string {
  return `${networkTag(owner.network)}${shortened(owner.containerId, CONTAINER)} ${owner.ifname}`
}

/** The owner that a tag names, in the shortened form; undefined where the text is no tag of ours. */
export function ownerOf(tag: string): Owner | undefined {
  const [, network, containerId, ifname] = /^tnet (\S+) (\S+) (\S+)$/.exec(tag) ?? []
  if (network === undefined || containerId === undefined || ifname === undefined) return undefined
  return { network, containerId, ifname }
}

/** What the tags of all owners on `network` begin with: `tnet <network> `. */
export function networkTag(network: string): string {
  return `tnet ${shortened(network, NETWORK)} `
}

/** Whether a tag is of this network, and of none of `valid`. */
export function isStaleTag(network: string, valid: readonly Attached[]): (tag: string) => boolean {
  const prefix = networkTag(network)
  const kept = new Set(valid.map(({ containerId, ifname }) => ownerTag({ network, containerId, ifname })))
  return tag => tag.startsWith(prefix) && !kept.has(tag)
}

function shortened(text: string, size: number): string {
  if (Buffer.byteLength(text) <= size) return text
  return `${beginning(text, size - DIGEST - 1)}~${digest(text)}`
}

/** As many whole characters as fit into `size` bytes of UTF-8. */
function beginning(text: string, size: number): string {
  let kept = ''
  let bytes = 0
  for (const character of text) {
    bytes += Buffer.byteLength(character)
    if (bytes > size) break
    kept += character
  }
  return kept
}
