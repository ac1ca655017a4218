// What every driver keeps to, on the real kernel: attach and detach may come twice, and whatever call fails, nothing
// that was not there before is left.
import type { Test } from 'tap'
import type { Driver } from '../../src/drivers/driver.ts'
import { attach } from '../../src/engine/attach.ts'
import { check } from '../../src/engine/check.ts'
import { detach } from '../../src/engine/detach.ts'
import { gc, status } from '../../src/engine/gc.ts'
import type { AttachResult } from '../../src/net/result.ts'
import type { Assignment, Ipam } from '../../src/ipam/ipam.ts'
import { Host } from '../../src/net/host.ts'
import { openSandbox, type Sandbox } from '../../src/net/sandbox.ts'
import { Steps } from '../../src/steps.ts'
import { makeNetns } from '../harness/namespaces.ts'
import { snapshot } from '../harness/snapshot.ts'
import { countdown } from './countdown.ts'

const NETWORK = 'compliance'

export interface Subject<C, O> {
  readonly driver: Driver<C, O>
  readonly config: C
  /** What address management would give; left out: a network without addresses. */
  readonly assignment?: Assignment
  /** Its link has no end on the host: while the sandbox is out of reach, it stays. */
  readonly inside?: true
  /**
   * Makes what is there before the first attachment, and stays after the last: a shared bridge, a device. May be
   * repeated, and then brings all of it back to how it was, also where it went with a sandbox.
   */
  prepare?(): Promise<void>
}

export async function compliance<C, O>(t: Test, name: string, subject: Subject<C, O>): Promise<void> {
  await subject.prepare?.()
  await once(subject) // makes the files of locks, which stay
  await t.test(`${name}: attach, check, detach`, async t => {
    await using world = await makeWorld(subject)
    const before = await snapshot()
    const result = await world.attach()
    await world.check(result)
    await t.rejects(world.attach(), { code: 'EXISTS' }, 'a second attach is refused')
    await world.check(result)
    await world.status()
    await world.detach(result)
    t.equal(await snapshot(), before)
    await world.detach(result)
    await world.detach(undefined)
    t.equal(await snapshot(), before, 'a second detach is success')
  })

  await t.test(`${name}: check tells when the link is gone`, async t => {
    await using world = await makeWorld(subject)
    const result = await world.attach()
    await world.sandbox.links.remove({ name: world.owner.ifname })
    await t.rejects(world.check(result), { code: 'CHECK_FAILED' })
    await world.detach(result)
    await subject.prepare?.()
  })

  await t.test(`${name}: detach without a sandbox, without a result`, async t => {
    await using world = await makeWorld(subject)
    const before = await snapshot()
    await world.attach()
    await world.detach(undefined, 'gone')
    if (subject.inside === true) await world.sandbox.links.remove({ name: world.owner.ifname })
    await subject.prepare?.()
    t.equal(await snapshot(), before)
  })

  await t.test(`${name}: gc keeps the valid, removes the others`, async t => {
    await using world = await makeWorld(subject)
    await world.detach(await world.attach()) // what stays after the last is there
    const before = await snapshot()
    const result = await world.attach()
    await world.gc([world.owner])
    await world.check(result)
    await world.gc([])
    t.equal(await snapshot(), before)
  })

  await eachCallFails(t, name, subject)
}

/** Fails the n-th call for every n: what is left is what was there before. */
export async function eachCallFails<C, O>(t: Test, name: string, subject: Subject<C, O>): Promise<void> {
  for (const moment of ['before', 'after'] as const) {
    await t.test(`${name}: each call fails once, ${moment} it is made`, async t => {
      await using world = await makeWorld(subject)
      await subject.prepare?.()
      const before = await snapshot()
      for (let n = 1; ; n++) {
        const calls = countdown(n, moment)
        const done = await world.attach(calls.wrap).then(
          result => result,
          (error: unknown) => error as Error,
        )
        if (!calls.fired()) {
          await world.detach(undefined)
          t.ok(n > 5, `${n - 1} calls failed in turn`)
          break
        }
        // What was made although its call failed is for DEL, which a runtime sends after a failed ADD.
        if (!(done instanceof Error) || moment === 'after') await world.detach(undefined)
        // What a successful attachment leaves for the next is no matter here.
        if (!(done instanceof Error)) await subject.prepare?.()
        const how = done instanceof Error ? done.message : 'it goes on without'
        t.equal(await snapshot(), before, `call ${n}, ${calls.name()}: ${how}`)
      }
    })
  }
}

async function once<C, O>(subject: Subject<C, O>): Promise<void> {
  await using world = await makeWorld(subject)
  await world.detach(await world.attach())
}

interface World extends AsyncDisposable {
  readonly owner: { readonly network: string; readonly containerId: string; readonly ifname: string }
  readonly sandbox: Sandbox
  attach(wrap?: <T extends object>(target: T) => T): Promise<AttachResult>
  check(result: AttachResult): Promise<void>
  detach(result: AttachResult | undefined, sandbox?: Sandbox | 'gone'): Promise<void>
  gc(valid: readonly World['owner'][]): Promise<void>
  status(): Promise<void>
}

async function makeWorld<C, O>({ driver, config, assignment }: Subject<C, O>): Promise<World> {
  const netns = await makeNetns()
  const host = new Host({ runDir: '/run/tnet' })
  const sandbox = openSandbox(netns.path)
  const owner = { network: NETWORK, containerId: 'c1', ifname: 'eth0' }
  const network = { name: NETWORK, options: driver.parse(config) }
  const ipam = assignment && fixed(assignment)
  const target = { driver, network, owner, host, ipam }
  return {
    owner,
    sandbox,
    async attach(wrap = same) {
      await using steps = new Steps()
      const result = await attach({ ...target, host: wrap(host), sandbox: wrap(sandbox) }, steps)
      steps.commit()
      return result
    },
    check: result => check({ ...target, sandbox, result }),
    detach: (result, where = sandbox) =>
      detach({
        ...target,
        sandbox: where === 'gone' ? undefined : where,
        addresses: result?.ips.map(({ address }) => address),
      }),
    gc: valid => gc(target, valid),
    status: () => status(target, () => {}),
    async [Symbol.asyncDispose]() {
      sandbox[Symbol.dispose]()
      host[Symbol.dispose]()
      await netns[Symbol.asyncDispose]()
    },
  }
}

function same<T>(target: T): T {
  return target
}

function fixed(assignment: Assignment): Ipam {
  const nothing = async () => {}
  return { allocate: async () => assignment, release: nothing, check: nothing, gc: nothing, status: nothing }
}
