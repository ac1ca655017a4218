// tnet-ipam: leases of the networks that tnet keeps, in the store. A claim is one transaction on what was read before;
// where another came first, it is read and chosen again.
import { TnetError } from '../../errors.ts'
import { addressOf, formatAddress } from '../../net/ip.ts'
import {
  type CursorRecord,
  cursorKey,
  type HolderRecord,
  holderKey,
  holdersKey,
  type LeaseRecord,
  leaseKey,
  leasesKey,
  type NetworkNameRecord,
  type NetworkRecord,
  networkKey,
  networkNameKey,
  type Origin,
} from '../../store/schema.ts'
import type { Entry, Store } from '../../store/store.ts'
import { assigned, type Choice, choose, type LeaseBook, parseRequested, requireFree } from '../allocator.ts'
import type { Attached, Ipam, Owner } from '../ipam.ts'
import type { TnetIpamConfig } from './config.ts'
import { networkPools } from './network-pools.ts'

/** Every round of conflicts sees one claim made, so that this many processes at once get theirs. */
const ROUNDS = 1000

export interface TnetIpamOptions {
  readonly store: Store
  readonly origin: Origin
}

export function tnetIpam(
  { network: name, routes }: TnetIpamConfig,
  { store, origin }: TnetIpamOptions,
): Ipam {
  /** Undefined where tnet keeps no such network, and so no leases of it. */
  async function find(): Promise<Entry<NetworkRecord> | undefined> {
    const found = await store.get<NetworkNameRecord>(networkNameKey(name))
    return found && store.get<NetworkRecord>(networkKey(found.value.id))
  }

  async function known(): Promise<Entry<NetworkRecord>> {
    const network = await find()
    if (network !== undefined) return network
    throw new TnetError(
      'NOT_FOUND',
      `lease an address on ${name}: tnet has no such network`,
      `see: tnet network ls`,
    )
  }

  async function removeHolder(
    id: string,
    read: () => Promise<Entry<HolderRecord> | undefined>,
  ): Promise<void> {
    await rounds(`give back an address of ${name}`, async () => {
      const holder = await read()
      if (holder === undefined) return true
      const leases = holder.value.addresses.map(address => leaseKey(id, address))
      return store.commit({ when: [holder], remove: [holder.key, ...leases] })
    })
  }

  return {
    async allocate(owner, requested = []) {
      let choices: Choice[] = []
      await rounds(`lease an address on ${name}`, async () => {
        const network = await known()
        const { id } = network.value
        const holder = await store.get<HolderRecord>(holderKey(id, owner))
        if (holder !== undefined) throw second(name, holder.value)
        const cursor = await store.get<CursorRecord>(cursorKey(id))
        const pools = networkPools(network.value)
        choices = await choose(pools, parseRequested(pools, requested), book(store, id, cursor?.value))
        return claim({ store, network, cursor, owner, origin, choices })
      })
      return { ips: assigned(choices), routes, dns: {} }
    },

    async release(owner) {
      const id = (await find())?.value.id
      if (id !== undefined) await removeHolder(id, () => store.get<HolderRecord>(holderKey(id, owner)))
    },

    async check(owner) {
      const id = (await find())?.value.id
      if (id !== undefined && (await store.get(holderKey(id, owner))) !== undefined) return
      throw new TnetError('CHECK_FAILED', `check the lease of ${named(owner)} on ${name}: it has none`)
    },

    async gc(network, valid) {
      const id = (await find())?.value.id
      if (id === undefined) return
      const kept = new Set(valid.map(each => holderKey(id, each)))
      for (const { key, value } of await store.range<HolderRecord>(holdersKey(id))) {
        if (value.network !== network || value.origin !== origin || kept.has(key)) continue
        await removeHolder(id, () => store.get<HolderRecord>(key))
      }
    },

    async status() {
      const network = await find()
      if (network === undefined)
        throw new TnetError('UNAVAILABLE', `tnet has no network ${name}`, 'see: tnet network ls')
      requireFree(networkPools(network.value), await leased(store, network.value.id))
    },
  }
}

function book(store: Store, id: string, cursor: CursorRecord | undefined): LeaseBook {
  return {
    last: async set => addressOf(cursor?.last[set] ?? ''),
    holder: async address => (await store.get<LeaseRecord>(leaseKey(id, formatAddress(address))))?.value,
    leased: () => leased(store, id),
  }
}

async function leased(store: Store, id: string): Promise<Set<string>> {
  const prefix = leasesKey(id)
  return new Set((await store.range(prefix)).map(({ key }) => key.slice(prefix.length)))
}

interface Claim {
  readonly store: Store
  readonly network: Entry<NetworkRecord>
  readonly cursor: Entry<CursorRecord> | undefined
  readonly owner: Owner
  readonly origin: Origin
  readonly choices: readonly Choice[]
}

/** False where something has changed since it was read. */
function claim({ store, network, cursor, owner, origin, choices }: Claim): Promise<boolean> {
  const { id } = network.value
  const lease: LeaseRecord = {
    network: owner.network,
    containerId: owner.containerId,
    ifname: owner.ifname,
    origin,
  }
  const addresses = choices.map(({ address }) => formatAddress(address))
  const last = Object.fromEntries(choices.map(({ set }, i) => [set, addresses[i] ?? '']))
  const record: CursorRecord = { last: { ...cursor?.value.last, ...last } }
  const holder: HolderRecord = { ...lease, addresses }
  const made = [holderKey(id, owner), ...addresses.map(address => leaseKey(id, address))]
  return store.commit({
    when: [network, ...made.map(key => ({ key, revision: 0 }))],
    put: made
      .map((key, i): { key: string; value: unknown } => ({ key, value: i === 0 ? holder : lease }))
      .concat({ key: cursorKey(id), value: record }),
  })
}

/** Runs `round` until it answers true. Throws TRY_AGAIN where others always come first. */
async function rounds(deed: string, round: () => Promise<boolean>): Promise<void> {
  for (let count = 0; count < ROUNDS; count++) if (await round()) return
  throw new TnetError('TRY_AGAIN', `${deed}: others changed the network ${ROUNDS} times in between`)
}

function second(network: string, { addresses, ...owner }: HolderRecord): TnetError {
  return new TnetError(
    'EXISTS',
    `lease an address on ${network} for ${named(owner)}: it has ${addresses.join(', ')}`,
    'disconnect it first',
  )
}

function named({ containerId, ifname }: Attached): string {
  return `interface ${ifname} of container ${containerId}`
}
