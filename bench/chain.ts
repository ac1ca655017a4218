// What is measured of a list: bridge with ipMasq, then portmap; alone, and among many.
import { makeNetns } from '../test/harness/namespaces.ts'
import { call } from '../test/harness/plugins.ts'
import { type Pair, rounds, type Series, series } from './cases.ts'
import { measure, type Job, type Run } from './measure.ts'

const PUBLISHED = 1000
const AT_ONCE = 100
const ATTACHED = [0, 100, 1000] as const
/** Of a bridge, so that it has room for those that are measured. */
const PORTS = 1000

type Mapping = { readonly hostPort: number; readonly containerPort: number; readonly protocol: string }

interface List {
  /** Both plugins, first to last; DEL last to first. Answers with the time of both together. */
  run(verb: 'ADD' | 'DEL'): Promise<Run>
  /** One more container, which stays. */
  attach(number: number, portMappings: readonly Mapping[]): Promise<void>
  detach(number: number, portMappings: readonly Mapping[]): Promise<void>
}

const tcp = (hostPort: number): Mapping => ({ hostPort, containerPort: 80, protocol: 'tcp' })

/** A list of its own for each side and purpose. What is measured has always the same address. */
async function makeList(dir: string, name: string, subnet: number): Promise<List> {
  const netns = (await makeNetns('bench')).path
  const common = { cniVersion: '1.0.0', name }
  const bridge = { ...common, type: 'bridge', bridge: name, isDefaultGateway: true, ipMasq: true }
  const range = {
    subnet: `10.${subnet}.0.0/16`,
    rangeStart: `10.${subnet}.255.9`,
    rangeEnd: `10.${subnet}.255.9`,
  }
  const under = { ...bridge, ipam: { type: 'host-local', ranges: [[range]] } }
  const answer = await call(dir, 'bridge', { verb: 'ADD', config: under, netns })
  if (answer.code !== 0) throw new Error(answer.stdout)
  const prevResult = answer.json
  await call(dir, 'bridge', { verb: 'DEL', config: { ...under, prevResult }, netns })
  const ports = (portMappings: readonly Mapping[], result: unknown) => {
    return { ...common, type: 'portmap', prevResult: result, runtimeConfig: { portMappings } }
  }
  const jobs = (verb: string): Job[] => [
    { dir, type: 'bridge', verb, netns, config: verb === 'DEL' ? { ...under, prevResult } : under },
    { dir, type: 'portmap', verb, netns, config: ports([tcp(8080), tcp(8443)], prevResult) },
  ]
  const others = (number: number) => {
    const link = `${name}-${Math.floor(number / PORTS)}`
    const ipam = { type: 'host-local', subnet: `10.${subnet + 1 + Math.floor(number / PORTS)}.0.0/16` }
    return { ...bridge, name: link, bridge: link, ipam }
  }
  const request = (number: number) => ({ containerId: `other${number}`, netns, ifname: `e${number}` })
  const must = async (verb: string, number: number, config: { readonly type: string }) => {
    const { code, stdout, json } = await call(dir, config.type, { ...request(number), verb, config })
    if (code !== 0) throw new Error(`${verb} of ${dir}/${config.type}: ${stdout}`)
    return json
  }
  return {
    run: verb => measure(verb === 'ADD' ? jobs(verb) : jobs(verb).toReversed()),
    async attach(number, mappings) {
      await must('ADD', number, ports(mappings, await must('ADD', number, others(number))))
    },
    async detach(number, mappings) {
      await must('DEL', number, ports(mappings, undefined))
      await must('DEL', number, others(number))
    },
  }
}

export async function chain(pair: Pair, count: number): Promise<Series[]> {
  const lists = [await makeList(pair[0], 'chain0', 120), await makeList(pair[1], 'chain1', 122)]
  const all = await rounds(pair, count, async side => {
    const list = lists[side]
    return list === undefined ? [] : [await list.run('ADD'), await list.run('DEL')]
  })
  return series(all, [
    ['bridge (ipMasq) + portmap: ADD', 0.3],
    ['bridge (ipMasq) + portmap: DEL', 0.2],
  ])
}

/** Ours on both sides: among so many published ports, and among none. */
export async function crowded([ours]: Pair, count: number): Promise<Series[]> {
  const list = await makeList(ours, 'crowd', 124)
  const crowd = Array.from({ length: PUBLISHED / AT_ONCE }, (_, number) =>
    Array.from({ length: AT_ONCE }, (_, port) => tcp(10_000 + AT_ONCE * number + port)),
  )
  const all = await rounds([ours, ours], count, async side => {
    if (side === 0) for (const [number, ports] of crowd.entries()) await list.attach(number, ports)
    const runs = [await list.run('ADD'), await list.run('DEL')]
    if (side === 0) for (const [number, ports] of crowd.entries()) await list.detach(number, ports)
    return runs
  })
  const name = `${PUBLISHED} ports published, against none of ours`
  return series(all, [
    [`${name}: ADD`, 1.2],
    [`${name}: DEL`, 1.2],
  ])
}

async function attachAll(list: List, numbers: readonly number[]): Promise<void> {
  for (const number of numbers) await list.attach(number, [tcp(20_000 + number)])
}

/** The same list, with so many attachments already there, each with a port. Takes minutes. */
export async function attached(pair: Pair, count: number): Promise<Series[]> {
  const lists = [await makeList(pair[0], 'many0', 130), await makeList(pair[1], 'many1', 134)]
  const rows: Series[] = []
  let there = 0
  for (const wanted of ATTACHED) {
    const more = Array.from({ length: wanted - there }, (_, number) => there + number)
    await Promise.all(lists.map(list => attachAll(list, more)))
    there = wanted
    const all = await rounds(pair, count, async side => {
      const list = lists[side]
      return list === undefined ? [] : [await list.run('ADD'), await list.run('DEL')]
    })
    rows.push(...series(all, [[`${wanted} attachments there: ADD`], [`${wanted} attachments there: DEL`]]))
  }
  return rows
}
