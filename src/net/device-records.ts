// Which devices of the host are in sandboxes. What a link in a sandbox says of itself, its container may have written.
import type { Link } from '../netlink/route/link.ts'
import { entries, makeDirectories, makeLink, readLink, removeFile } from '../sys/files.ts'
import { digest } from './digest.ts'
import { allSettings, type LinkSettings } from './link-settings.ts'
import { kindOf } from './links.ts'

/** What a device was before it was moved. */
interface Was {
  readonly settings: LinkSettings
  readonly permanentAddress?: string | undefined
}

interface Recorded {
  readonly mark: string
  readonly kind: string
  /** Left out by earlier versions. */
  readonly was: Was | undefined
}

/** The kind of what has none: it outlives every namespace, and comes back to the host. */
const CARD = 'device'

/**
 * Symbolic links in a folder of root's, since they are made as a whole: `KIND MARK WAS`, the kind of link that the
 * device is, and what it was.
 */
export class DeviceRecords {
  readonly #folder: string

  constructor(runDir: string) {
    this.#folder = `${runDir}/devices`
  }

  /** Before the device gets the mark. */
  write(mark: string, device: Link): void {
    makeDirectories(this.#folder, 0o700)
    this.remove(mark)
    // What a port of another link has, it has from that one.
    const settings = device.master === undefined ? allSettings(device) : {}
    const was: Was = { settings, permanentAddress: device.permanentAddress }
    makeLink(`${kindOf(device)} ${mark} ${JSON.stringify(was)}`, this.#path(mark))
  }

  /** Whether a link with this mark can be the device; undefined where nothing is on record. */
  tells(mark: string, link: Link): boolean | undefined {
    const record = this.#read(this.#path(mark))
    if (record === undefined) return undefined
    const { permanentAddress = link.permanentAddress } = record.was ?? {}
    return record.kind === kindOf(link) && permanentAddress === link.permanentAddress
  }

  /** Whether the device comes back by itself, if later. */
  isCard(mark: string): boolean {
    return this.#read(this.#path(mark))?.kind === CARD
  }

  has(mark: string): boolean {
    return this.#read(this.#path(mark)) !== undefined
  }

  /** What the device is to be again on the host. */
  settings(mark: string): LinkSettings {
    return this.#read(this.#path(mark))?.was?.settings ?? {}
  }

  /** Of all that are on record. */
  marks(): string[] {
    return entries(this.#folder).flatMap(({ name }) => this.#read(`${this.#folder}/${name}`)?.mark ?? [])
  }

  remove(mark: string): void {
    removeFile(this.#path(mark))
  }

  #path(mark: string): string {
    return `${this.#folder}/${digest(mark)}`
  }

  #read(path: string): Recorded | undefined {
    const [kind, mark, was] = readLink(path)?.split(' ') ?? []
    if (mark === undefined || kind === undefined) return undefined
    return { mark, kind, was: was === undefined ? undefined : (JSON.parse(was) as Was) }
  }
}
