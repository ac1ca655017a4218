// A host of its own and a sandbox for each test, and the plugins of one directory to call there.
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { facts, type Facts } from './facts.ts'
import { makeNetns, type Netns } from './namespaces.ts'
import { call, type Answer, type Call, type Subject, type Verb } from './plugins.ts'
import { snapshot, type View } from './snapshot.ts'
import { SOCKET, type Standby, standbyOf } from './standby.ts'

export interface World extends AsyncDisposable {
  readonly subject: Subject
  readonly host: Netns
  readonly sandbox: Netns
  /** The name of the network, one for each world: leases are kept under it. */
  readonly network: string
  /** Where host-local keeps the leases of the network. */
  readonly leaseFolder: string
  /** The configuration of a bridge network with what `more` says. */
  config(more?: object): Record<string, unknown>
  /** Calls a plugin for the sandbox: that of the configuration, where the request does not say otherwise. */
  call(
    verb: Verb,
    config: object | string,
    request?: Partial<Call> & { readonly type?: string },
  ): Promise<Answer>
  /** The same host and sandbox, with the plugins of another directory. */
  by(subject: Subject): World
  facts(): Promise<Facts>
  snapshot(view?: View): Promise<string>
}

/** By default; the calls of a second world beside one that has some do without. */
const STANDBY = Number(process.env['TNET_TEST_STANDBY'] ?? 0)

async function standbyIfAsked(
  { name, dir }: Subject,
  workers: number,
  host: Netns,
): Promise<Standby | undefined> {
  if (workers === 0 || name !== 'tnet' || existsSync(SOCKET)) return undefined
  const own = await standbyOf(dir, workers, host)
  await own.workers(workers)
  return own
}

let worlds = 0

/** `standby`: so many processes stand by for our plugins' calls. */
export async function makeWorld(subject: Subject, { standby = STANDBY } = {}): Promise<World> {
  const network = `net${++worlds}`
  const leaseFolder = `/var/lib/cni/networks/${network}`
  const host = await makeNetns('host')
  const sandbox = await makeNetns('sandbox')
  const own = await standbyIfAsked(subject, standby, host)
  const by = (one: Subject): World => ({
    subject: one,
    host,
    sandbox,
    network,
    leaseFolder,
    by,
    config: more => ({ cniVersion: '1.0.0', name: network, type: 'bridge', ...more }),
    call: (verb, config, { type = typeOf(config), ...request } = {}) =>
      call(one.dir, type, { host, netns: sandbox.path, ...request, verb, config }),
    facts: () => facts(host, sandbox, leaseFolder),
    snapshot,
    async [Symbol.asyncDispose]() {
      await own?.end()
      await sandbox[Symbol.asyncDispose]()
      await host[Symbol.asyncDispose]()
      for (const folder of ['/var/lib/cni', '/var/lib/tnet']) emptyFolder(folder)
    },
  })
  return by(subject)
}

/** `bridge` where the configuration names nothing that can be the name of an executable. */
function typeOf(config: object | string): string {
  const type = typeof config === 'object' && 'type' in config ? config.type : undefined
  return typeof type === 'string' && /^[\w-]+$/.test(type) ? type : 'bridge'
}

/** The next world begins without the leases of this one. */
function emptyFolder(folder: string): void {
  for (const entry of readdirSync(folder)) rmSync(join(folder, entry), { recursive: true })
}

/** An IPAM section for host-local with one range for each subnet. */
export function hostLocal(subnets: readonly string[], more: object = {}): object {
  return { type: 'host-local', ranges: subnets.map(subnet => [{ subnet }]), ...more }
}

/** The part of `found` that `wanted` speaks of; what is missing is undefined. Arrays are compared whole. */
export function part(found: unknown, wanted: unknown): unknown {
  if (Array.isArray(wanted)) {
    return Array.isArray(found)
      ? found.map((item, index) => (index < wanted.length ? part(item, wanted[index]) : item))
      : found
  }
  if (typeof wanted !== 'object' || wanted === null || typeof found !== 'object' || found === null)
    return found
  const keys = Object.keys(wanted)
  return Object.fromEntries(
    keys.map(key => [
      key,
      part((found as Record<string, unknown>)[key], (wanted as Record<string, unknown>)[key]),
    ]),
  )
}
