// The sources of firewalld's zones, over one connection.
import { TnetError } from '../../errors.ts'
import { Bus, BusError } from './bus.ts'

export const FIREWALLD = 'org.fedoraproject.FirewallD1'
const ZONE = {
  destination: FIREWALLD,
  path: '/org/fedoraproject/FirewallD1',
  interface: 'org.fedoraproject.FirewallD1.zone',
} as const

/** How firewalld is reached, and by one process at a time. */
export interface FirewalldAccess {
  /** The address of the system's message bus; undefined for the one that every system has. */
  readonly bus: string | undefined
  /** Waits for its turn to change what firewalld has. */
  turn(): Promise<Disposable>
}

/** An address, and the zone whose source it is to be. */
export interface Source {
  readonly zone: string
  /** Without the length of a prefix: a source is a single address. In the form that the record has. */
  readonly address: string
}

export class Zones implements Disposable {
  readonly #bus: Bus

  private constructor(bus: Bus) {
    this.#bus = bus
  }

  /** Throws UNAVAILABLE where firewalld does not run. */
  static async open(address: string | undefined): Promise<Zones> {
    const zones = await Zones.openIfAny(address)
    if (zones !== undefined) return zones
    throw new TnetError(
      'UNAVAILABLE',
      'backend firewalld: it does not run',
      'start it, or choose another backend',
    )
  }

  static async openIfAny(address: string | undefined): Promise<Zones | undefined> {
    const bus = await Bus.open(address).catch((error: unknown) => {
      if (error instanceof TnetError && error.code === 'UNAVAILABLE') return undefined
      throw error
    })
    if (bus === undefined) return undefined
    if (await bus.hasOwner(FIREWALLD)) return new Zones(bus)
    bus[Symbol.dispose]()
    return undefined
  }

  [Symbol.dispose](): void {
    this.#bus[Symbol.dispose]()
  }

  /** Those of `wanted` that are no sources of their zones: of a zone that does not exist, all. */
  async missing<S extends Source>(wanted: readonly S[]): Promise<S[]> {
    const missing: S[] = []
    for (const [zone, ofZone] of Map.groupBy(wanted, ({ zone }) => zone)) {
      const [list = []] = await this.#call('getSources', [zone], ['INVALID_ZONE'])
      const sources = new Set(list as readonly string[])
      missing.push(...ofZone.filter(({ address }) => !sources.has(sourceOf(address))))
    }
    return missing
  }

  /** Throws BAD_CONFIG where there is no such zone, KERNEL where it is a source of another one. */
  async add({ zone, address }: Source): Promise<void> {
    await this.#call('addSource', [zone, sourceOf(address)], ['ZONE_ALREADY_SET'])
  }

  /** Unless it is a source of another zone by now, or its zone has gone. Answers whether it was added. */
  async addAgain({ zone, address }: Source): Promise<boolean> {
    const fine = ['ZONE_ALREADY_SET', 'ZONE_CONFLICT', 'INVALID_ZONE']
    return (await this.#call('addSource', [zone, sourceOf(address)], fine)).length > 0
  }

  async remove({ zone, address }: Source): Promise<void> {
    const fine = ['UNKNOWN_SOURCE', 'ZONE_CONFLICT', 'INVALID_ZONE']
    await this.#call('removeSource', [zone, sourceOf(address)], fine)
  }

  /** Answers of firewalld begin with a word; those in `fine` mean that there is nothing to do. */
  async #call(
    member: string,
    words: readonly string[],
    fine: readonly string[] = [],
  ): Promise<readonly unknown[]> {
    try {
      return await this.#bus.call({ ...ZONE, member, arguments: words })
    } catch (error) {
      if (!(error instanceof BusError)) throw error
      const [word = ''] = error.message.split(':')
      if (fine.includes(word)) return []
      const message = `firewalld: ${member} ${words.join(' ')}: ${error.message}`
      throw new TnetError(word === 'INVALID_ZONE' ? 'BAD_CONFIG' : 'KERNEL', message, '', { cause: error })
    }
  }
}

function sourceOf(address: string): string {
  return `${address}/${address.includes(':') ? 128 : 32}`
}
