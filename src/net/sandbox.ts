// The namespace of a container: checked when it is opened, and configured from outside.
import { badNetns, type Netns, openNetns, ownNetns } from './netns.ts'
import { Stack } from './stack.ts'
import type { SocketOptions } from '../netlink/socket.ts'

export class Sandbox extends Stack {
  readonly path: string
  readonly id: string
  readonly fd: number
  readonly #netns: Netns

  constructor(netns: Netns, trace?: SocketOptions['trace']) {
    super({ netns: netns.fd, trace })
    this.#netns = netns
    this.path = netns.path
    this.id = netns.id
    this.fd = netns.fd
  }

  override [Symbol.dispose](): void {
    super[Symbol.dispose]()
    this.#netns[Symbol.dispose]()
  }
}

export interface SandboxOptions {
  readonly trace?: SocketOptions['trace']
  /** Lets the sandbox be the namespace of this process. */
  readonly ownAllowed?: boolean
}

/**
 * Opens the namespace at `path` for configuration. Throws TnetError BAD_NETNS where it is missing, is no network
 * namespace, or is the one of this process: what a wrong path would change is then the host's own network.
 */
export function openSandbox(path: string, { trace, ownAllowed = false }: SandboxOptions = {}): Sandbox {
  const netns = openNetns(path)
  const sandbox = new Sandbox(netns, trace)
  try {
    using own = ownNetns()
    if (own.id === netns.id && !ownAllowed) {
      throw badNetns(path, "it is the host's own, and a container must not be set up there")
    }
    void sandbox.route // EINVAL where it is a namespace of another kind
    return sandbox
  } catch (error) {
    sandbox[Symbol.dispose]()
    if (error instanceof Error && 'code' in error && error.code === 'EINVAL') {
      throw badNetns(path, 'it is a namespace, but not a network namespace', error)
    }
    throw error
  }
}
