// Which devices of the host are in sandboxes. What a link in a sandbox says of itself, its container may have written.
import type { Link } from '../netlink/route/link.ts'
import { entries, makeDirectories, makeLink, readLink, removeFile } from '../sys/files.ts'
import { digest } from './digest.ts'
import { allSettings, type LinkSettings } from './link-settings.ts'
import { kindOf } from './links.ts'

interface Recorded {
  readonly mark: string
  readonly kind: string
  readonly settings: LinkSettings
}

/**
 * Symbolic links in a folder of root's, since they are made as a whole: `KIND MARK SETTINGS`, the kind of link that the
 * device is, and what it is to be again on the host.
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
    makeLink(`${kindOf(device)} ${mark} ${JSON.stringify(settings)}`, this.#path(mark))
  }

  /** Whether a link with this mark can be the device; undefined where nothing is on record. */
  tells(mark: string, link: Link): boolean | undefined {
    const kind = this.#read(this.#path(mark))?.kind
    return kind === undefined ? undefined : kind === kindOf(link)
  }

  has(mark: string): boolean {
    return this.#read(this.#path(mark)) !== undefined
  }

  /** What the device was before it was moved. */
  settings(mark: string): LinkSettings {
    return this.#read(this.#path(mark))?.settings ?? {}
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
    const [kind, mark, settings = '{}'] = readLink(path)?.split(' ') ?? []
    if (mark === undefined || kind === undefined) return undefined
    return { mark, kind, settings: JSON.parse(settings) as LinkSettings }
  }
}
