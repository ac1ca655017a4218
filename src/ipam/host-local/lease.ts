// What a lease file says: `<container id>\r\n<ifname>`, or the container id alone in those of old versions.
import type { Attached } from '../../net/owner.ts'

/** Whose a lease is. */
export interface LeaseHolder {
  readonly containerId: string
  /** Undefined in a file of an old version: the lease is of whichever interface asks. */
  readonly ifname: string | undefined
}

const LINE_BREAK = '\r\n'

export function leaseText({ containerId, ifname }: Attached): string {
  return `${containerId}${LINE_BREAK}${ifname}`
}

/** Undefined where the text was never finished: empty, without the second line, or with holes that a power cut left. */
export function parseLease(text: string): LeaseHolder | undefined {
  const whole = text.trim()
  if (whole === '' || whole.includes('\0') || /\r\n?$/.test(text)) return undefined
  const at = whole.indexOf(LINE_BREAK)
  if (at < 0) return { containerId: whole, ifname: undefined }
  return { containerId: whole.slice(0, at), ifname: whole.slice(at + LINE_BREAK.length) }
}

export function sameHolder(a: LeaseHolder, b: LeaseHolder): boolean {
  return a.containerId === b.containerId && a.ifname === b.ifname
}

/** The two holders that a container's interface answers to. */
export function holdersOf({ containerId, ifname }: Attached): [exact: LeaseHolder, legacy: LeaseHolder] {
  return [
    { containerId, ifname },
    { containerId, ifname: undefined },
  ]
}
