// The verbs of one network namespace. Sockets are opened when they are first used, inside the namespace.
import { NETLINK_GENERIC, NETLINK_ROUTE, NetlinkSocket, type SocketOptions } from '../netlink/socket.ts'
import { type LinkCondition, waitForLink } from '../netlink/wait.ts'
import type { NetnsFd } from '../sys/syscalls.ts'
import { Addresses } from './addresses.ts'
import { BridgePorts } from './bridge-ports.ts'
import type { Features } from './features.ts'
import { Links } from './links.ts'
import { Routes } from './routes.ts'
import { Sysctl } from './sysctl.ts'

export class Stack implements Disposable {
  readonly bridgePorts = new BridgePorts(() => this.route)
  readonly links = new Links(() => this.route)
  readonly addresses = new Addresses(() => this.route)
  readonly routes = new Routes(() => this.route)
  readonly sysctl: Sysctl
  readonly netns: NetnsFd
  protected readonly trace: SocketOptions['trace']
  readonly #close: SocketOptions['close']
  #route: NetlinkSocket | undefined
  #generic: NetlinkSocket | undefined

  constructor(options: Pick<SocketOptions, 'netns' | 'trace' | 'close'> = {}) {
    this.netns = options.netns
    this.trace = options.trace
    this.#close = options.close
    this.sysctl = new Sysctl(options.netns)
  }

  get route(): NetlinkSocket {
    this.#route ??= this.open(NETLINK_ROUTE)
    return this.#route
  }

  /** Features of links. Loaded when it is first asked for: hardly a call has need of it. */
  async features(): Promise<Features> {
    const { Features } = await import('./features.ts')
    this.#generic ??= this.open(NETLINK_GENERIC)
    return new Features(this.#generic)
  }

  /** A socket of its own inside the namespace; the caller closes it. */
  open(protocol: number, groups: readonly number[] = []): NetlinkSocket {
    const { netns, trace } = this
    return new NetlinkSocket(protocol, { netns, trace, groups, close: this.#close })
  }

  /** As `waitForLink` in this namespace. */
  async waitForLink(condition: LinkCondition): Promise<boolean> {
    return waitForLink({ netns: this.netns, trace: this.trace }, condition)
  }

  [Symbol.dispose](): void {
    this.#route?.[Symbol.dispose]()
    this.#generic?.[Symbol.dispose]()
  }
}
