// The kinds of firewall that a host may run, and which of them it does run.
import { absentIsFine, errnoCode, TnetError } from '../errors.ts'
import { getTable, newTable } from '../netlink/netfilter/table.ts'
import type { NetlinkSocket } from '../netlink/socket.ts'
import { type Log, sweep } from '../steps.ts'
import { isExecutable } from '../sys/syscalls.ts'
import type { Gate } from './admission.ts'
import { Containers } from './firewall/containers.ts'
import { LateSocket } from './firewall/owned.ts'
import type { FirewalldAccess } from './firewalld/zones.ts'
import type { Family } from './ip.ts'
import { Iptables } from './iptables/iptables.ts'
import type { Programs } from './iptables/legacy-program.ts'
import { COMMANDS, legacyTables } from './legacy-tables.ts'

export type Backend = 'nftables' | 'iptables' | 'firewalld'

export interface GateOptions {
  /** The chain of iptables in which the administrator decides. */
  readonly adminChain: string
  /** The zone of firewalld. */
  readonly zone: string
}

/** Where distributions have the program. */
const IPTABLES = ['/usr/sbin/iptables', '/sbin/iptables', '/usr/local/sbin/iptables', '/usr/bin/iptables']

export class Gates implements Disposable {
  readonly #late: LateSocket
  readonly #firewalld: FirewalldAccess

  /** `open` makes a NETLINK_NETFILTER socket in the host's namespace; called once, on first use. */
  constructor(open: () => NetlinkSocket, firewalld: FirewalldAccess) {
    this.#late = new LateSocket(open)
    this.#firewalld = firewalld
  }

  [Symbol.dispose](): void {
    this.#late[Symbol.dispose]()
  }

  async gate(backend: Backend, { adminChain, zone }: GateOptions): Promise<Gate> {
    if (backend === 'iptables') return this.#iptables(adminChain)
    const containers = new Containers(this.#late)
    if (backend === 'nftables') return containers
    const { Firewalld } = await import('./firewalld/firewalld.ts')
    return new Firewalld(containers, this.#firewalld, zone)
  }

  /**
   * Brings back what firewalld has forgotten, now and whenever it has reloaded or started, until `signal`. Throws
   * UNAVAILABLE where there is no message bus, or no longer.
   */
  async keepFirewalld(signal: AbortSignal, log: Log): Promise<void> {
    const { keepSources } = await import('./firewalld/reloads.ts')
    await keepSources(new Containers(this.#late), this.#firewalld, { signal, log })
  }

  /** A packet passes the filters of both kinds of iptables, where the host has both. */
  async #iptables(adminChain: string): Promise<Gate> {
    const gate = new Iptables(this.#late, adminChain)
    const programs = await legacyPrograms()
    if (programs.length === 0) return gate
    const { LegacyIptables } = await import('./iptables/legacy.ts')
    return bothOf(gate, new LegacyIptables(programs, adminChain))
  }

  /** What the host runs: firewalld; iptables, where it has its tables or its program; otherwise nftables. */
  async running(): Promise<Backend> {
    if ((await this.#hasTable('inet', 'firewalld')) && (await this.hasFirewalld())) return 'firewalld'
    const hasProgram = IPTABLES.some(isExecutable) || legacyTables('filter').length > 0
    return hasProgram || (await this.#hasTable('ip', 'filter')) || (await this.#hasTable('ip6', 'filter'))
      ? 'iptables'
      : 'nftables'
  }

  /** Whether firewalld answers. */
  async hasFirewalld(): Promise<boolean> {
    const { isRunning } = await import('./firewalld/firewalld.ts')
    return isRunning(this.#firewalld.bus)
  }

  async #hasTable(family: 'inet' | 'ip' | 'ip6', name: string): Promise<boolean> {
    try {
      await this.#late.socket.get(getTable, { family, name }, newTable)
      return true
    } catch (error) {
      // Absent, or a kernel without nf_tables, or without netfilter.
      if (['ENOENT', 'EOPNOTSUPP', 'EINVAL', 'EPROTONOSUPPORT'].includes(errnoCode(error) ?? '')) return false
      throw error
    }
  }

  /** The filters of iptables-legacy, and what is executed to let containers through: undefined where it is not installed. */
  async legacy(): Promise<{ readonly command: string; readonly program: string | undefined }[]> {
    const families = legacyTables('filter')
    if (families.length === 0) return []
    const { programsOf } = await import('./iptables/legacy-program.ts')
    return families.map(family => ({ command: COMMANDS[family], program: programsOf(family)?.restore }))
  }

  /** Chains of others that drop what they do not accept: `ip filter FORWARD`. Throws UNAVAILABLE without nf_tables. */
  async drops(): Promise<string[]> {
    const { droppingChains } = await import('./dropping-chains.ts')
    const chains = await absentIsFine(['EPROTONOSUPPORT'], () => droppingChains(this.#late.socket))
    if (chains === undefined) throw new TnetError('UNAVAILABLE', 'firewall: the kernel has no nf_tables')
    return chains.map(({ name }) => name)
  }
}

/** Of the families that have a filter of iptables-legacy, where it is installed. */
async function legacyPrograms(): Promise<(readonly [Family, Programs])[]> {
  const families = legacyTables('filter')
  if (families.length === 0) return []
  const { programsOf } = await import('./iptables/legacy-program.ts')
  return families.flatMap(family => {
    const programs = programsOf(family)
    return programs === undefined ? [] : [[family, programs] as const]
  })
}

function bothOf(one: Gate, other: Gate): Gate {
  return {
    async admit(admission) {
      await one.admit(admission)
      await other.admit(admission)
    },
    async check(admission) {
      await one.check(admission)
      await other.check(admission)
    },
    dismiss: (owner, addresses) =>
      sweep([() => one.dismiss(owner, addresses), () => other.dismiss(owner, addresses)]),
    gc: (network, valid) => sweep([() => one.gc(network, valid), () => other.gc(network, valid)]),
  }
}
