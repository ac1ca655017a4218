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

export interface DeviceRecord {
  readonly mark: string
  /** What the device is to be again on the host. */
  readonly settings: LinkSettings
  /** It outlives every namespace: the kernel brings it to the host, if later. */
  readonly isCard: boolean
  /** Whether a link with the mark can be the device. */
  isOf(link: Link): boolean
}

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

  get(mark: string): DeviceRecord | undefined {
    return this.#read(this.#path(mark))
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

  #read(path: string): DeviceRecord | undefined {
    // An earlier version wrote two words.
    const [kind, mark, was = '{"settings":{}}'] = readLink(path)?.split(' ') ?? []
    if (mark === undefined || kind === undefined) return undefined
    const { settings, permanentAddress } = JSON.parse(was) as Was
    return {
      mark,
      settings,
      isCard: kind === kindOf({}),
      isOf: link =>
        kind === kindOf(link) && (permanentAddress ?? link.permanentAddress) === link.permanentAddress,
    }
  }
}
