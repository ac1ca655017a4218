// Lets containers through the host's iptables rules: only an accept in those chains overrules their drop.
import { absentIsFine, TnetError } from '../../errors.ts'
import { NetlinkError } from '../../netlink/error.ts'
import type { Admission, Gate } from '../admission.ts'
import { rounds } from '../firewall/elements.ts'
import { isolatedPort, isolatePort, ISOLATING_PLAN, releasePorts } from '../firewall/isolated-ports.ts'
import { checkClaim, type LateSocket } from '../firewall/owned.ts'
import { formatAddress, parseAddress, parseCidr } from '../ip.ts'
import { type Attached, isStaleTag, type Owner, ownerTag } from '../owner.ts'
import { argumentsOf } from './filter-rule.ts'
import {
  type Change,
  commit,
  generationOf,
  type NewRule,
  rulesOf,
  standing,
  type Standing,
  type Tag,
  type Version,
  VERSIONS,
} from './filter-table.ts'
import { admission, CHAINS, CONTAINER_CHAINS, idle, leaving, missing, type Wanted } from './rules.ts'

const PROGRAM = { 4: 'iptables', 6: 'ip6tables' } as const

/** The filter tables of iptables-nft. */
export class Iptables implements Gate {
  readonly #late: LateSocket
  readonly #adminChain: string

  constructor(late: LateSocket, adminChain: string) {
    this.#late = late
    this.#adminChain = adminChain
  }

  async admit(wanted: Admission): Promise<void> {
    await isolatePort(this.#late, ownerTag(wanted.owner), wanted.isolation)
    const families = familiesOf(wanted, this.#adminChain)
    if (families.length === 0) return
    await rounds('write rules of iptables', async () => {
      const socket = this.#late.socket
      const generation = await generationOf(socket)
      const changes: [Version, Standing, Change][] = []
      for (const [version, one] of families) {
        const found = await standing(socket, version, CHAINS)
        changes.push([version, found, admission(found, one)])
      }
      return this.#commit(changes, generation)
    })
  }

  async dismiss(owner: Owner, addresses: readonly string[]): Promise<void> {
    const tag = ownerTag(owner)
    await this.#remove(has => has === tag, addresses)
  }

  async check(wanted: Admission): Promise<void> {
    const port = isolatedPort(ownerTag(wanted.owner), wanted.isolation)
    if (port.length > 0) await checkClaim(this.#late.socket, { plan: ISOLATING_PLAN, members: port })
    for (const [version, one] of familiesOf(wanted, this.#adminChain)) {
      const fault = missing(await standing(this.#late.socket, version, CHAINS), one)
      if (fault !== undefined) throw missingError(PROGRAM[version], fault)
    }
  }

  async gc(network: string, valid: readonly Attached[]): Promise<void> {
    await this.#remove(isStaleTag(network, valid), [])
  }

  async #remove(isLeaving: (owner: string) => boolean, addresses: readonly string[]): Promise<void> {
    const plain = addresses.map(plainAddress)
    // A kernel without netfilter or nf_tables has nothing to remove.
    const socket = await this.#late.ifAny()
    if (socket === undefined) return
    if ((await absentIsFine(['EINVAL', 'EOPNOTSUPP'], () => generationOf(socket))) === undefined) return
    await releasePorts(this.#late, ({ userData }) => isLeaving(userData?.comment ?? ''))
    await rounds('remove rules of iptables', async () => {
      const changes: [Version, Standing, Change][] = []
      const generation = await generationOf(socket)
      for (const version of VERSIONS) {
        const containers = await rulesOf(socket, version, CONTAINER_CHAINS)
        const gone = leaving(containers, isLeaving, plain)
        if (gone.length === 0) continue
        const found = gone.every(isAlone) ? undefined : await standing(socket, version, CHAINS)
        const same = found?.rules.filter(one => gone.some(({ handle }) => handle === one.handle)) ?? gone
        const remove = found === undefined ? gone : [...same, ...idle(found.rules, same)]
        changes.push([version, found ?? NOTHING, { chains: [], remove, add: [] }])
      }
      return this.#commit(changes, generation)
    })
  }

  /**
   * False where somebody has changed since what it depends on: then nothing was done. What is the container's alone
   * depends on nothing, so that many can come and go at once.
   */
  async #commit(changes: readonly [Version, Standing, Change][], generation: number): Promise<boolean> {
    const isOwn = changes.every(
      ([, , { chains, remove, add }]) => chains.length === 0 && [...remove, ...add].every(isAlone),
    )
    const refused = await commit(this.#late.socket, changes, isOwn ? undefined : generation)
    if (refused === undefined) return true
    if (refused.code === 'ERESTART' || (isOwn && refused.code === 'ENOENT')) return false
    throw explained(refused)
  }
}

const NOTHING: Standing = { hasForward: true, rules: [] }

/** Whether a rule stands for one container, without any that containers share. */
function isAlone({ chain, tag }: { readonly chain: string; readonly tag?: Tag | undefined }): boolean {
  return chain === CONTAINER_CHAINS[0] && tag?.needs === undefined
}

/** What CHECK says of a rule that does not stand. */
export function missingError(program: string, { chain, rule }: Pick<NewRule, 'chain' | 'rule'>): TnetError {
  const words = argumentsOf(rule).map(word => (word.includes(' ') ? JSON.stringify(word) : word))
  return new TnetError(
    'CHECK_FAILED',
    `${program}: missing: -A ${chain} ${words.join(' ')}`,
    'something has removed it since ADD; a new attachment writes it again',
  )
}

/** The addresses of each family that has any. */
export function familiesOf(
  { owner, addresses, isolation }: Admission,
  adminChain: string,
): [Version, Wanted][] {
  const all = addresses.map(address => parseCidr(address, 'address'))
  return VERSIONS.flatMap(version => {
    const own = all.filter(({ family }) => family === version).map(({ address }) => formatAddress(address))
    if (own.length === 0) return []
    return [[version, { owner: ownerTag(owner), addresses: own, isolation, adminChain }] as const]
  }).map(([version, wanted]) => [version, wanted])
}

export function plainAddress(address: string): string {
  return formatAddress(
    address.includes('/') ? parseCidr(address, 'address').address : parseAddress(address, 'address'),
  )
}

function explained(error: NetlinkError): Error {
  if (!['ENOENT', 'EOPNOTSUPP', 'EINVAL'].includes(error.code)) return error
  const details = 'the kernel needs nf_tables with nft_compat, xt_conntrack and xt_comment'
  return new TnetError('UNSUPPORTED', `write rules of iptables: ${error.message}`, details, { cause: error })
}
