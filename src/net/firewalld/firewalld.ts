// Lets containers through firewalld: their addresses become sources of a zone. firewalld forgets them when it reloads,
// and never knew whose they were: our own tables keep the record.
import { TnetError } from '../../errors.ts'
import type { Admission, Gate } from '../admission.ts'
import type { Containers } from '../firewall/containers.ts'
import { formatAddress, parseAddress, parseCidr } from '../ip.ts'
import { type Attached, networkTag, type Owner, ownerTag } from '../owner.ts'
import { Bus, BusError } from './bus.ts'

const NAME = 'org.fedoraproject.FirewallD1'
const ZONE = {
  destination: NAME,
  path: '/org/fedoraproject/FirewallD1',
  interface: 'org.fedoraproject.FirewallD1.zone',
} as const

export interface FirewalldOptions {
  /** Left out: the system's. */
  readonly bus: string | undefined
  readonly zone: string
}

/** Whether firewalld runs. */
export async function isRunning(address: string | undefined): Promise<boolean> {
  try {
    using bus = await Bus.open(address)
    return await bus.hasOwner(NAME)
  } catch (error) {
    if (error instanceof TnetError && error.code === 'UNAVAILABLE') return false
    throw error
  }
}

export class Firewalld implements Gate {
  readonly #record: Containers
  readonly #options: FirewalldOptions

  constructor(record: Containers, options: FirewalldOptions) {
    this.#record = record
    this.#options = options
  }

  async admit(admission: Admission): Promise<void> {
    using zone = await Zone.open(this.#options)
    // What is not on record, no DEL would find.
    await this.#record.admit(admission)
    for (const address of admission.addresses) await zone.add(plain(address))
    await this.#restore(zone, admission.owner.network)
  }

  async dismiss(owner: Owner, addresses: readonly string[]): Promise<void> {
    const tag = ownerTag(owner)
    await this.#remove(other => other === tag, addresses.map(plain))
    await this.#record.dismiss(owner)
  }

  async check(admission: Admission): Promise<void> {
    await this.#record.check(admission)
    using zone = await Zone.open(this.#options)
    const sources = await zone.sources()
    for (const address of admission.addresses.map(plain)) {
      if (sources.has(sourceOf(address))) continue
      throw new TnetError(
        'CHECK_FAILED',
        `firewalld: ${address} is no source of the zone ${this.#options.zone}`,
        'firewalld forgets sources when it reloads: the next ADD or GC of the network brings them back',
      )
    }
  }

  async gc(network: string, valid: readonly Attached[]): Promise<void> {
    const prefix = networkTag(network)
    const kept = new Set(valid.map(one => ownerTag({ network, ...one })))
    await this.#remove(owner => owner.startsWith(prefix) && !kept.has(owner), [])
    await this.#record.gc(network, valid)
    using zone = await Zone.openIfAny(this.#options)
    if (zone !== undefined) await this.#restore(zone, network)
  }

  /** Brings back what firewalld has forgotten of the network's containers. */
  async #restore(zone: Zone, network: string): Promise<void> {
    const sources = await zone.sources()
    const prefix = networkTag(network)
    for (const { owner, address } of await this.#record.list()) {
      if (owner.startsWith(prefix) && !sources.has(sourceOf(address))) await zone.add(address)
    }
  }

  /** `addresses` as well, unless they are on record for somebody who stays. */
  async #remove(isLeaving: (owner: string) => boolean, addresses: readonly string[]): Promise<void> {
    const record = await this.#record.list()
    const staying = new Set(record.filter(({ owner }) => !isLeaving(owner)).map(({ address }) => address))
    const own = record.filter(({ owner }) => isLeaving(owner)).map(({ address }) => address)
    const gone = [...new Set([...own, ...addresses])].filter(address => !staying.has(address))
    if (gone.length === 0) return
    using zone = await Zone.openIfAny(this.#options)
    for (const address of zone === undefined ? [] : gone) await zone?.remove(address)
  }
}

/** One zone, over one connection. */
class Zone implements Disposable {
  readonly #bus: Bus
  readonly #name: string

  private constructor(bus: Bus, name: string) {
    this.#bus = bus
    this.#name = name
  }

  /** Throws UNAVAILABLE where firewalld does not run. */
  static async open(options: FirewalldOptions): Promise<Zone> {
    const zone = await Zone.openIfAny(options)
    if (zone !== undefined) return zone
    throw new TnetError(
      'UNAVAILABLE',
      'backend firewalld: it does not run',
      'start it, or choose another backend',
    )
  }

  static async openIfAny({ bus: address, zone }: FirewalldOptions): Promise<Zone | undefined> {
    const bus = await Bus.open(address).catch((error: unknown) => {
      if (error instanceof TnetError && error.code === 'UNAVAILABLE') return undefined
      throw error
    })
    if (bus === undefined) return undefined
    if (await bus.hasOwner(NAME)) return new Zone(bus, zone)
    bus[Symbol.dispose]()
    return undefined
  }

  [Symbol.dispose](): void {
    this.#bus[Symbol.dispose]()
  }

  async sources(): Promise<ReadonlySet<string>> {
    const [list] = await this.#call('getSources', [])
    return new Set(list as readonly string[])
  }

  async add(address: string): Promise<void> {
    await this.#call('addSource', [sourceOf(address)], ['ZONE_ALREADY_SET'])
  }

  async remove(address: string): Promise<void> {
    await this.#call('removeSource', [sourceOf(address)], ['UNKNOWN_SOURCE', 'ZONE_CONFLICT', 'INVALID_ZONE'])
  }

  /** Answers of firewalld begin with a word; those in `fine` mean that there is nothing to do. */
  async #call(
    member: string,
    more: readonly string[],
    fine: readonly string[] = [],
  ): Promise<readonly unknown[]> {
    try {
      return await this.#bus.call({ ...ZONE, member, arguments: [this.#name, ...more] })
    } catch (error) {
      if (!(error instanceof BusError)) throw error
      const [word = ''] = error.message.split(':')
      if (fine.includes(word)) return []
      const message = `firewalld: ${member} ${[this.#name, ...more].join(' ')}: ${error.message}`
      throw new TnetError(word === 'INVALID_ZONE' ? 'BAD_CONFIG' : 'KERNEL', message, '', { cause: error })
    }
  }
}

function sourceOf(address: string): string {
  return `${address}/${address.includes(':') ? 128 : 32}`
}

function plain(address: string): string {
  return formatAddress(
    address.includes('/') ? parseCidr(address, 'address').address : parseAddress(address, 'address'),
  )
}
