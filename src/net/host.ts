// The namespace that tnet itself runs in: its stack, its firewall, and the locks of those who change it.
import { NETLINK_NETFILTER, type SocketOptions, type NetlinkSocket } from '../netlink/socket.ts'
import { fileError, ifPresent, makeDirectories, requireDirectory } from '../sys/files.ts'
import { lock } from '../sys/lock.ts'
import type { Connections } from './connections.ts'
import type { Firewall } from './firewall.ts'
import type { Gates } from './gates.ts'
import { ownNetns } from './netns.ts'
import type { Owner } from './owner.ts'
import type { Ports } from './ports.ts'
import type { Sandbox } from './sandbox.ts'
import { Stack } from './stack.ts'
import type { Remnant } from './tables.ts'

export interface HostOptions {
  /** Where locks live, and records of what is in sandboxes: /run/tnet. */
  readonly runDir: string
  readonly trace?: SocketOptions['trace']
  /** How its sockets are closed in the end. */
  readonly close?: SocketOptions['close']
  /** The address of the system's message bus; left out, the one that every system has. */
  readonly systemBus?: string | undefined
}

export class Host extends Stack {
  readonly runDir: string
  readonly #systemBus: string | undefined
  #firewall: Firewall | undefined
  #gates: Gates | undefined
  #ports: Ports | undefined
  #questions: NetlinkSocket | undefined

  constructor({ runDir, trace, close, systemBus }: HostOptions) {
    super({ trace, close })
    this.#systemBus = systemBus
    this.runDir = runDir
  }

  /** Loaded when it is first asked for: it is a quarter of all code, and most calls have no need of it. */
  async firewall(): Promise<Firewall> {
    const { Firewall } = await import('./firewall.ts')
    this.#firewall ??= new Firewall(() => this.open(NETLINK_NETFILTER))
    return this.#firewall
  }

  /** The kinds of firewall that may let containers through. Loaded when first asked for, too. */
  async gates(): Promise<Gates> {
    const { Gates } = await import('./gates.ts')
    const firewalld = { bus: this.#systemBus, turn: () => this.lock('firewalld') }
    this.#gates ??= new Gates(() => this.open(NETLINK_NETFILTER), firewalld)
    return this.#gates
  }

  /** Loaded when it is first asked for, too. */
  async ports(): Promise<Ports> {
    const { Ports } = await import('./ports.ts')
    this.#ports ??= new Ports(() => this.open(NETLINK_NETFILTER))
    return this.#ports
  }

  /** What the kernel remembers of connections. */
  async connections(): Promise<Connections> {
    const { Connections } = await import('./connections.ts')
    return new Connections(this.#netfilter(), this.addresses)
  }

  /** The tables that there are: of nftables, each as `inet tnet`, and of iptables-legacy, as `iptables-legacy nat`. */
  async tables(): Promise<ReadonlySet<string>> {
    const { tableNames } = await import('./tables.ts')
    return tableNames(() => this.#netfilter())
  }

  /** Removes what an earlier plugin of the reference left for a container, where `tables` can hold such a thing. */
  async clearRemnants(remnant: Remnant, owner: Owner, tables: ReadonlySet<string>): Promise<void> {
    const names = await this.#tablesOfRemnants(remnant, tables)
    if (names.length === 0) return
    const { clearRemnants } = await import('./remnants.ts')
    await clearRemnants(() => this.#netfilter(), names, { owner, remnant })
  }

  /** Whether there is any of that. */
  async hasRemnants(remnant: Remnant, owner: Owner): Promise<boolean> {
    const names = await this.#tablesOfRemnants(remnant, await this.tables())
    if (names.length === 0) return false
    const { hasRemnants } = await import('./remnants.ts')
    return hasRemnants(() => this.#netfilter(), names, { owner, remnant })
  }

  async #tablesOfRemnants(remnant: Remnant, tables: ReadonlySet<string>): Promise<string[]> {
    const { tablesOfRemnants } = await import('./tables.ts')
    return tablesOfRemnants(remnant, tables)
  }

  #netfilter(): NetlinkSocket {
    this.#questions ??= this.open(NETLINK_NETFILTER)
    return this.#questions
  }

  /** The lock of this namespace: `shared` by those who join its bridges, held `alone` by who removes one. Throws as `lock`. */
  async turn(kind: 'shared' | 'alone'): Promise<Disposable> {
    using own = ownNetns()
    return this.lock(`netns-${own.id}`, { shared: kind === 'shared' })
  }

  /**
   * Of those who look for free tables in a sandbox and take them. Some sandboxes share a lock, so that no files are left
   * behind for those that are gone. Throws as `lock`.
   */
  async sandboxTurn({ id }: Sandbox): Promise<Disposable> {
    return this.lock(`sandboxes-${id.slice(-2)}`)
  }

  /**
   * Held by one process at a time, or `shared`, until it is disposed of. On a file that only root can open: on what
   * others can, such as the namespace itself, anybody could hold the lock. Throws TRY_AGAIN, IO.
   */
  async lock(name: string, { shared = false } = {}): Promise<Disposable> {
    const folder = `${this.runDir}/locks`
    try {
      ifPresent(() => requireDirectory(this.runDir)) // no symbolic link that somebody planted
      makeDirectories(folder, 0o700)
    } catch (error) {
      throw fileError('make the folder of locks', folder, error)
    }
    return lock(`${folder}/${encodeURIComponent(name)}`, { shared })
  }

  override [Symbol.dispose](): void {
    super[Symbol.dispose]()
    this.#questions?.[Symbol.dispose]()
    this.#firewall?.[Symbol.dispose]()
    this.#ports?.[Symbol.dispose]()
    this.#gates?.[Symbol.dispose]()
  }
}
