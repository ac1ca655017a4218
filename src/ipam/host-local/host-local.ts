// host-local: leases in the reference's directory format, so that a node can move between the two with containers
// running.
import { TnetError } from '../../errors.ts'
import { parseAddress } from '../../net/ip.ts'
import { assigned, choose, type LeaseBook, parseRequested, requireFree } from '../allocator.ts'
import type { Assignment, Attached, Dns, Ipam, Owner } from '../ipam.ts'
import { type Pools, rangeOf } from '../ranges.ts'
import type { HostLocalConfig } from './config.ts'
import { type Held, LeaseDirectory, leasePlace } from './lease-directory.ts'
import { LeaseFiles } from './lease-files.ts'

const PATIENCE = 30_000

export interface HostLocalOptions {
  /** How long to wait for the lock of a network, in milliseconds. */
  readonly patience?: number
}

export function hostLocal(config: HostLocalConfig, { patience = PATIENCE }: HostLocalOptions = {}): Ipam {
  const { dataDir, pools } = config
  const place = (network: string) => ({ dataDir, network, patience })

  return {
    async allocate(owner, requested = []): Promise<Assignment> {
      checkOwner(owner)
      const wanted = parseRequested(pools, requested)
      const dns = config.resolvConf === undefined ? {} : await readDns(config.resolvConf)
      using directory = await LeaseDirectory.open(place(owner.network), true)
      const held = directory.held(owner)
      refuseSecond(owner, held, pools)
      const choices = await orRepair(
        () => choose(pools, wanted, book(directory)),
        async () => directory.files.scan().removed > 0,
      )
      directory.lease(owner, held, choices)
      return { ips: assigned(choices), routes: config.routes, dns }
    },

    async release(owner) {
      using directory = await LeaseDirectory.open(place(owner.network), false)
      directory?.release(owner)
    },

    async check(owner) {
      using directory = await LeaseDirectory.open(place(owner.network), false)
      if (directory !== undefined && directory.held(owner).addresses.length > 0) return
      throw new TnetError(
        'CHECK_FAILED',
        `check the lease of ${named(owner)} on ${owner.network}: it has none`,
      )
    },

    async gc(network, valid) {
      using directory = await LeaseDirectory.open(place(network), false)
      directory?.retain(isAmong(valid))
    },

    async status(network) {
      const files = new LeaseFiles(leasePlace(dataDir, network).path)
      await orRepair(
        async () => requireFree(pools, files.names()),
        async () => {
          using directory = await LeaseDirectory.open(place(network), false)
          return directory !== undefined && files.scan().removed > 0
        },
      )
    },
  }
}

function book(directory: LeaseDirectory): LeaseBook {
  return {
    last: async set => directory.cursors.last(set),
    holder: async address => directory.holder(address),
    leased: async () => directory.files.names(),
  }
}

/** Where no address is left, those of files that were never finished may be: they are removed, and it is tried again. */
async function orRepair<T>(deed: () => Promise<T>, repair: () => Promise<boolean>): Promise<T> {
  try {
    return await deed()
  } catch (error) {
    const full = error instanceof TnetError && error.code === 'EXHAUSTED'
    if (!full || !(await repair())) throw error
    return deed()
  }
}

/** A second lease would be forgotten by its runtime: one ADD follows another only after a DEL. */
function refuseSecond(owner: Owner, { addresses }: Held, { sets }: Pools): void {
  const inSets = addresses.filter(text => {
    const address = parseAddress(text, 'lease')
    return sets.some(set => rangeOf(set, address) !== undefined)
  })
  if (inSets.length === 0) return
  throw new TnetError(
    'EXISTS',
    `lease an address on ${owner.network} for ${named(owner)}: it has ${inSets.join(', ')}`,
    'run DEL for this container first',
  )
}

/** What a lease file can say without being mistaken for another's. */
function checkOwner({ containerId, ifname }: Attached): void {
  for (const [variable, value] of [
    ['CNI_CONTAINERID', containerId],
    ['CNI_IFNAME', ifname],
  ] as const) {
    if (/^[^\s\p{Cc}]{1,255}$/u.test(value)) continue
    throw new TnetError(
      'BAD_ENVIRONMENT',
      `${variable}: want 1 to 255 characters without spaces, got ${JSON.stringify(value)}`,
    )
  }
}

function isAmong(
  valid: readonly Attached[],
): (holder: { containerId: string; ifname: string | undefined }) => boolean {
  const containers = new Set(valid.map(each => each.containerId))
  const interfaces = new Set(valid.map(each => `${each.containerId} ${each.ifname}`))
  return ({ containerId, ifname }) =>
    ifname === undefined ? containers.has(containerId) : interfaces.has(`${containerId} ${ifname}`)
}

function named({ containerId, ifname }: Attached): string {
  return `interface ${ifname} of container ${containerId}`
}

/** Loaded when it is asked for: few configurations name such a file. */
async function readDns(path: string): Promise<Dns> {
  const { readResolvConf } = await import('./resolv-conf.ts')
  return readResolvConf(path)
}
