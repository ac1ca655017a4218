// What is measured, for two plugin directories in turns: A B, then B A, so that neither is always the first.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeNetns, type Netns } from '../test/harness/namespaces.ts'
import { run } from '../test/harness/run.ts'
import { measure, type Job, type Run } from './measure.ts'

export interface Sample {
  /** Of each of the two directories, in the order of `Pair`. */
  readonly milliseconds: readonly [number, number]
  readonly mebibytes: readonly [number, number]
  readonly cpu: readonly [number, number]
}

export interface Series {
  readonly name: string
  /** The ratio of our time to the other's that is the goal. */
  readonly goal?: number
  readonly samples: readonly Sample[]
}

export type Pair = readonly [ours: string, against: string]

const SANDBOXES = 48
const AT_A_TIME = 8
const LEASES = 5000

/** The same for both sides; A and B have networks and bridges of their own, so that they are never in each other's way. */
function bridgeConfig(side: number, ipMasq: boolean): object {
  const subnet = `10.${100 + side * 2 + Number(ipMasq)}.0.0/16`
  const name = `bench${side}${ipMasq ? 'masq' : ''}`
  return {
    cniVersion: '1.0.0',
    name,
    type: 'bridge',
    bridge: name,
    isDefaultGateway: true,
    ipMasq,
    ipam: { type: 'host-local', subnet },
  }
}

export type Turn = (side: 0 | 1, dir: string) => Promise<readonly Run[]>

/** Takes turns; the first round is for warming up. Answers the runs of each round, by side. */
export async function rounds(
  pair: Pair,
  count: number,
  turn: Turn,
): Promise<(readonly [readonly Run[], readonly Run[]])[]> {
  const all: (readonly [readonly Run[], readonly Run[]])[] = []
  for (let round = 0; round <= count; round++) {
    const runs: [readonly Run[], readonly Run[]] = [[], []]
    for (const side of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const))
      runs[side] = await turn(side, pair[side])
    if (round > 0) all.push(runs)
  }
  return all
}

/** One series for each run of a turn. */
export function series(
  all: readonly (readonly [readonly Run[], readonly Run[]])[],
  named: readonly [name: string, goal?: number | undefined][],
): Series[] {
  return named.map(([name, goal], index) => ({
    name,
    ...(goal === undefined ? {} : { goal }),
    samples: all.map(([ours, against]) => ({
      milliseconds: [ours[index]?.milliseconds ?? NaN, against[index]?.milliseconds ?? NaN],
      mebibytes: [peak(ours[index]), peak(against[index])],
      cpu: [cpu(ours[index]), cpu(against[index])],
    })),
  }))
}

function peak(run: Run | undefined): number {
  return Math.max(...(run?.each ?? []).map(({ mebibytes }) => mebibytes))
}

function cpu(run: Run | undefined): number {
  return (run?.each ?? []).reduce((sum, one) => sum + one.cpu, 0)
}

export async function start(pair: Pair, count: number): Promise<Series[]> {
  const all = await rounds(pair, count, async (_, dir) => [
    await measure([{ dir, type: 'bridge', verb: 'VERSION', config: { cniVersion: '1.0.0' } }]),
  ])
  return series(all, [['process start (VERSION)']])
}

/** One container, attached and detached again. */
export interface Scenario {
  readonly name: string
  readonly type: string
  /** A and B have networks of their own, so that they are never in each other's way. */
  config(side: number): object
  /** What both sides find on the host. */
  prepare?(): Promise<unknown>
  readonly goals: readonly [add: number | undefined, del: number | undefined]
}

function hostLocal(side: number): object {
  return { type: 'host-local', subnet: `10.${110 + side}.0.0/16`, routes: [{ dst: '0.0.0.0/0' }] }
}

export const scenarios: readonly Scenario[] = [
  {
    name: 'bridge + host-local',
    type: 'bridge',
    config: side => bridgeConfig(side, false),
    goals: [1.0, 1.1],
  },
  {
    name: 'bridge + host-local, ipMasq',
    type: 'bridge',
    config: side => bridgeConfig(side, true),
    goals: [0.5, 0.5],
  },
  {
    name: 'ptp + host-local',
    type: 'ptp',
    config: side => ({ cniVersion: '1.0.0', name: `bench${side}ptp`, type: 'ptp', ipam: hostLocal(side) }),
    goals: [1.0, undefined],
  },
  {
    name: 'macvlan + host-local',
    type: 'macvlan',
    config: side => ({
      cniVersion: '1.0.0',
      name: `bench${side}macvlan`,
      type: 'macvlan',
      master: 'benchmaster',
      ipam: hostLocal(side),
    }),
    async prepare() {
      await run('ip', ['link', 'add', 'benchmaster', 'type', 'veth', 'peer', 'name', 'benchpeer'])
      for (const end of ['benchmaster', 'benchpeer']) await run('ip', ['link', 'set', end, 'up'])
    },
    goals: [1.0, undefined],
  },
]

export async function attach(pair: Pair, count: number, scenario: Scenario): Promise<Series[]> {
  const { name, type, config, prepare, goals } = scenario
  await prepare?.()
  await using sandbox = await makeNetns('bench')
  const all = await rounds(pair, count, async (side, dir) => {
    const job = { dir, type, config: config(side), netns: sandbox.path }
    return [await measure([{ ...job, verb: 'ADD' }]), await measure([{ ...job, verb: 'DEL' }])]
  })
  const [add, del] = goals
  return series(all, [
    [`${name}: ADD`, add],
    [`${name}: DEL`, del],
  ])
}

export async function many(pair: Pair, count: number, ipMasq: boolean): Promise<Series[]> {
  const sandboxes: Netns[] = []
  for (let n = 0; n < SANDBOXES; n++) sandboxes.push(await makeNetns('bench'))
  const all = await rounds(pair, count, async (side, dir) => {
    const jobs = (verb: string): Job[] =>
      sandboxes.map(({ name, path }) => ({
        dir,
        type: 'bridge',
        verb,
        config: bridgeConfig(side, ipMasq),
        containerId: name,
        netns: path,
      }))
    return [await measure(jobs('ADD'), AT_A_TIME), await measure(jobs('DEL'), AT_A_TIME)]
  })
  for (const sandbox of sandboxes) await sandbox.remove()
  const what = `${SANDBOXES} sandboxes, ${AT_A_TIME} at a time${ipMasq ? ', ipMasq' : ''}`
  return series(
    all,
    ipMasq
      ? [
          [`${what}: all ADDs`, 0.5],
          [`${what}: all DELs`, 0.5],
        ]
      : [[`${what}: all ADDs`], [`${what}: all DELs`]],
  )
}

export async function leases(pair: Pair, count: number): Promise<Series[]> {
  await using sandbox = await makeNetns('bench')
  const dataDirs = [0, 1].map(side => `/var/lib/cni/leases${side}`)
  for (const dataDir of dataDirs) fill(join(dataDir, 'full'))
  const all = await rounds(pair, count, async (side, dir) => {
    const ipam = { type: 'host-local', subnet: '10.64.0.0/16', dataDir: dataDirs[side] }
    const job = {
      dir,
      type: 'host-local',
      config: { cniVersion: '1.0.0', name: 'full', type: 'bridge', ipam },
      netns: sandbox.path,
    }
    return [await measure([{ ...job, verb: 'ADD' }]), await measure([{ ...job, verb: 'DEL' }])]
  })
  const what = `host-local, ${LEASES} leases`
  return series(all, [
    [`${what}: ADD`, 0.2],
    [`${what}: DEL`, 0.2],
  ])
}

/** A lease folder as host-local leaves it after so many ADDs. */
function fill(folder: string): void {
  mkdirSync(folder, { recursive: true })
  const address = (n: number) => `10.64.${n >> 8}.${n & 255}`
  for (let n = 2; n < LEASES + 2; n++)
    writeFileSync(join(folder, address(n)), `container-${n}\r\neth0`, { mode: 0o600 })
  writeFileSync(join(folder, 'last_reserved_ip.0'), address(LEASES + 1), { mode: 0o600 })
}
