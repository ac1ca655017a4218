// Lets containers through firewalld: their addresses become sources of a zone. firewalld forgets them when it reloads,
// and never knew whose they were: our own tables keep the record.
import { TnetError } from '../../errors.ts'
import type { Admission, Gate } from '../admission.ts'
import type { Admitted, Containers } from '../firewall/containers.ts'
import { type Attached, isStaleTag, networkTag, type Owner, ownerTag } from '../owner.ts'
import { formatAddress, parseAddress, parseCidr } from '../ip.ts'
import { type FirewalldAccess, type Source, Zones } from './zones.ts'

/** Whether firewalld runs. */
export async function isRunning(address: string | undefined): Promise<boolean> {
  using zones = await Zones.openIfAny(address)
  return zones !== undefined
}

/**
 * Brings back what firewalld has forgotten of those whose tag `isWanted`, and answers how many. `zone` is of those on
 * record without one. Only in turn: nobody may leave meanwhile.
 */
export async function restore(
  record: Containers,
  zones: Zones,
  isWanted: (owner: string) => boolean,
  zone?: string,
): Promise<number> {
  const wanted = (await record.list()).filter(({ owner }) => isWanted(owner)).flatMap(sourceIn(zone))
  let count = 0
  for (const source of await zones.missing(wanted)) if (await zones.addAgain(source)) count++
  return count
}

/** The sources that are on record; `otherwise` is the zone of those without one. */
export function sourceIn(otherwise?: string): (one: Admitted) => (Admitted & Source)[] {
  return one => {
    const zone = one.zone ?? otherwise
    return zone === undefined ? [] : [{ ...one, zone }]
  }
}

export class Firewalld implements Gate {
  readonly #record: Containers
  readonly #access: FirewalldAccess
  readonly #zone: string

  constructor(record: Containers, access: FirewalldAccess, zone: string) {
    this.#record = record
    this.#access = access
    this.#zone = zone
  }

  async admit(admission: Admission): Promise<void> {
    using _turn = await this.#access.turn()
    using zones = await Zones.open(this.#access.bus)
    // What is not on record, no DEL would find.
    await this.#record.admit(admission, this.#zone)
    for (const source of this.#sources(admission.addresses)) await zones.add(source)
    await this.#restore(admission.owner.network, zones)
  }

  async dismiss(owner: Owner, addresses: readonly string[]): Promise<void> {
    const tag = ownerTag(owner)
    using _turn = await this.#access.turn()
    await this.#remove(other => other === tag, this.#sources(addresses))
    await this.#record.dismiss(owner)
  }

  async check(admission: Admission): Promise<void> {
    await this.#record.check(admission, this.#zone)
    using zones = await Zones.open(this.#access.bus)
    const [missing] = await zones.missing(this.#sources(admission.addresses))
    if (missing === undefined) return
    throw new TnetError(
      'CHECK_FAILED',
      `firewalld: ${missing.address} is no source of the zone ${missing.zone}`,
      'firewalld forgets sources when it reloads: tnet standby, or the next ADD or GC of the network, brings them back',
    )
  }

  async gc(network: string, valid: readonly Attached[]): Promise<void> {
    using _turn = await this.#access.turn()
    await this.#remove(isStaleTag(network, valid), [])
    await this.#record.gc(network, valid)
    using zones = await Zones.openIfAny(this.#access.bus)
    if (zones !== undefined) await this.#restore(network, zones)
  }

  async #restore(network: string, zones: Zones): Promise<void> {
    const prefix = networkTag(network)
    await restore(this.#record, zones, owner => owner.startsWith(prefix), this.#zone)
  }

  #sources(addresses: readonly string[]): Source[] {
    return addresses.map(address => ({ zone: this.#zone, address: plain(address) }))
  }

  /** `more` as well, unless they are on record for somebody who stays. */
  async #remove(isLeaving: (owner: string) => boolean, more: readonly Source[]): Promise<void> {
    const record = await this.#record.list()
    const staying = new Set(record.filter(({ owner }) => !isLeaving(owner)).map(({ address }) => address))
    const own = record.filter(({ owner }) => isLeaving(owner)).flatMap(sourceIn(this.#zone))
    const gone = [...own, ...more].filter(({ address }) => !staying.has(address))
    if (gone.length === 0) return
    using zones = await Zones.openIfAny(this.#access.bus)
    if (zones === undefined) return
    for (const source of gone) await zones.remove(source)
  }
}

function plain(address: string): string {
  return formatAddress(
    address.includes('/') ? parseCidr(address, 'address').address : parseAddress(address, 'address'),
  )
}
