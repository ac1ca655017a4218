// What everything keeps to that makes no link of its own, on the real kernel, over a bridge's veth pair.
import type { Test } from 'tap'
import type { Linkless } from '../../src/drivers/driver.ts'
import { bridge } from '../../src/drivers/bridge/bridge.ts'
import type { BridgeConfig } from '../../src/drivers/bridge/options.ts'
import { attach } from '../../src/engine/attach.ts'
import { detach } from '../../src/engine/detach.ts'
import type { Assignment, Ipam } from '../../src/ipam/ipam.ts'
import { Host } from '../../src/net/host.ts'
import { type AttachResult, NO_RESULT } from '../../src/net/result.ts'
import { openSandbox, type Sandbox } from '../../src/net/sandbox.ts'
import { Steps } from '../../src/steps.ts'
import { makeNetns } from '../harness/namespaces.ts'
import { snapshot } from '../harness/snapshot.ts'
import { countdown } from './countdown.ts'

const NETWORK = 'compliance'

export interface LinklessSubject<C, O> {
  readonly driver: Linkless<C, O>
  readonly config: C
  /** The bridge network that it works on; null: none, it begins with an empty sandbox. */
  readonly on?: { readonly config: BridgeConfig; readonly assignment: Assignment } | null
  /** Takes away what CHECK has to miss; left out: the suite does not ask. */
  readonly spoil?: (world: LinklessWorld) => Promise<unknown>
  /** Detaching changes nothing that a snapshot shows, nor does attaching. */
  readonly changesNothing?: boolean
}

const BRIDGED = {
  config: { bridge: 'br0', isGateway: true },
  assignment: { ips: [{ address: '10.1.0.5/24' }, { address: 'fd00:1::5/64' }], routes: [], dns: {} },
}

export async function linklessCompliance<C, O>(
  t: Test,
  name: string,
  subject: LinklessSubject<C, O>,
): Promise<void> {
  await once(subject) // makes what stays: the bridge, the files of locks, tables without elements
  await t.test(`${name}: attach, check, detach`, async t => {
    await using world = await makeWorld(subject)
    const before = await snapshot()
    const result = await world.attach()
    const attached = await snapshot()
    if (subject.changesNothing !== true) t.not(attached, before, 'it does something')
    await world.check(result)
    t.equal(await snapshot(), attached, 'check changes nothing')
    await world.status()
    await world.attach()
    t.equal(await snapshot(), attached, 'a second attach is as the first')
    await world.detach(result)
    t.equal(await snapshot(), before)
    await world.detach(result)
    await world.detach(undefined)
    t.equal(await snapshot(), before, 'a second detach is success')
  })

  const { spoil } = subject
  if (spoil !== undefined) {
    await t.test(`${name}: check tells what is missing`, async t => {
      await using world = await makeWorld(subject)
      const result = await world.attach()
      await spoil(world)
      await t.rejects(world.check(result), { code: 'CHECK_FAILED' })
      await world.detach(result)
    })
  }

  await t.test(`${name}: detach without a sandbox, without a result`, async t => {
    await using world = await makeWorld(subject)
    await world.attach()
    await world.leave()
    await world.detach(undefined, 'gone')
    // An octet of a hardware address may be the same.
    const named = new RegExp(`(?<![\\w:])${world.owner.containerId}(?![\\w:])`)
    t.notMatch(await snapshot(), named, 'nothing names it')
  })

  await t.test(`${name}: gc keeps the valid, removes the others`, async t => {
    await using world = await makeWorld(subject)
    const before = await snapshot()
    const result = await world.attach()
    const attached = await snapshot()
    await world.gc([world.owner])
    t.equal(await snapshot(), attached)
    await world.check(result)
    await world.gc([])
    await world.detach(result)
    t.equal(await snapshot(), before)
  })

  for (const moment of ['before', 'after'] as const) {
    await t.test(`${name}: each call fails once, ${moment} it is made`, async t => {
      await using world = await makeWorld(subject)
      const before = await snapshot()
      for (let n = 1; ; n++) {
        const calls = countdown(n, moment)
        const failed = await world.attach(calls.wrap).then(
          () => false,
          () => true,
        )
        // What was made although its call failed is for DEL, which a runtime sends after a failed ADD.
        if (!failed || moment === 'after') await world.detach(undefined)
        if (!calls.fired()) {
          t.pass(`${n - 1} calls failed in turn`)
          break
        }
        t.equal(await snapshot(), before, `call ${n}: ${calls.name()}`)
      }
    })
  }
}

export interface LinklessWorld extends AsyncDisposable {
  readonly owner: { readonly network: string; readonly containerId: string; readonly ifname: string }
  readonly host: Host
  readonly sandbox: Sandbox
  /** What the bridge network answered. */
  readonly under: AttachResult
  attach(wrap?: <T extends object>(target: T) => T): Promise<AttachResult>
  check(result: AttachResult): Promise<void>
  detach(result: AttachResult | undefined, sandbox?: 'gone'): Promise<void>
  /** Takes the sandbox away with all that is in it. */
  leave(): Promise<void>
  gc(valid: readonly LinklessWorld['owner'][]): Promise<void>
  status(): Promise<void>
}

let containers = 0

async function makeWorld<C, O>(subject: LinklessSubject<C, O>): Promise<LinklessWorld> {
  const { driver, config, on = BRIDGED } = subject
  const netns = await makeNetns()
  if (on === null) await netns.run('ip', 'link', 'set', 'lo', 'down')
  const host = new Host({ runDir: '/run/tnet' })
  const sandbox = openSandbox(netns.path)
  const owner = { network: NETWORK, containerId: `c${++containers}`, ifname: on === null ? 'lo' : 'eth0' }
  const network = { name: NETWORK, options: driver.parse(config) }
  const bridged = on && {
    driver: bridge,
    network: { name: NETWORK, options: bridge.parse(on.config) },
    owner,
    host,
    ipam: fixed(on.assignment),
  }
  let under = NO_RESULT
  if (bridged !== null) {
    await using steps = new Steps()
    under = await attach({ ...bridged, sandbox }, steps)
    steps.commit()
  }
  const unlink = async () => {
    if (bridged !== null) await detach({ ...bridged, sandbox, addresses: undefined })
  }
  return {
    owner,
    host,
    sandbox,
    under,
    async leave() {
      await unlink()
      await netns[Symbol.asyncDispose]()
    },
    async attach(wrap = target => target) {
      await using steps = new Steps()
      const port = { owner, sandbox: wrap(sandbox), result: under }
      const result = await driver.attach(network, port, wrap(host), steps)
      steps.commit()
      return result
    },
    check: result => driver.check(network, { owner, sandbox, result }, host),
    detach: (result, where) =>
      driver.detach(
        { name: NETWORK, options: driver.parseLeaving(config) },
        { owner, sandbox: where === 'gone' ? undefined : sandbox, result },
        host,
      ),
    gc: async valid => driver.gc?.({ name: NETWORK, options: driver.parseLeaving(config) }, valid, host),
    status: async () => driver.status?.(network, host, () => {}),
    async [Symbol.asyncDispose]() {
      await unlink()
      sandbox[Symbol.dispose]()
      host[Symbol.dispose]()
      await netns[Symbol.asyncDispose]()
    },
  }
}

async function once<C, O>(subject: LinklessSubject<C, O>): Promise<void> {
  await using world = await makeWorld(subject)
  await world.detach(await world.attach())
}

function fixed(assignment: Assignment): Ipam {
  const nothing = async () => {}
  return { allocate: async () => assignment, release: nothing, check: nothing, gc: nothing, status: nothing }
}
