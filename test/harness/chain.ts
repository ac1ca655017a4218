// A list of plugins called one after the other, as a runtime does it for one container.
import type { Answer } from './plugins.ts'
import type { Sample } from './samples.ts'
import type { World } from './world.ts'

export interface Container {
  readonly containerId: string
  /** The path that is its namespace at first. */
  readonly netns: string
}

export interface ChainOptions {
  readonly cniVersion?: string
  /** What ADD answered to somebody else. */
  readonly prevResult?: unknown
}

export interface Chain extends Container {
  /** What the last plugin answered to ADD. */
  result(): unknown
  /** Throws where a plugin refuses. */
  add(): Promise<void>
  check(): Promise<Answer[]>
  /** Of the last plugin first, each whatever the others say. */
  del(how?: { readonly netns?: string | undefined; readonly prevResult?: false }): Promise<Answer[]>
}

type Config = Record<string, unknown> & { readonly type: string }

/** The configurations of a sample's list, first to last. */
export function configs(
  world: World,
  { type, config, after = [] }: Sample,
  containerId: string,
  cniVersion = '1.1.0',
): Config[] {
  const own = typeof config === 'function' ? config(containerId) : config
  return [...after, { type, ...own }].map(each => ({ ...world.config({ cniVersion }), ...each }) as Config)
}

export function chain(
  world: World,
  sample: Sample,
  { containerId, netns }: Container,
  options: ChainOptions = {},
): Chain {
  const { ifname = 'eth0' } = sample
  const all = configs(world, sample, containerId, options.cniVersion)
  let { prevResult } = options
  const request = { containerId, netns, ifname }
  const withResult = (config: Config) => (prevResult === undefined ? config : { ...config, prevResult })
  return {
    containerId,
    netns,
    result: () => prevResult,
    async add() {
      prevResult = undefined
      for (const config of all) {
        const { code, json, stdout, stderr } = await world.call('ADD', withResult(config), {
          ...request,
          type: config.type,
        })
        if (code !== 0) throw new Error(`ADD of ${config.type}: ${stdout}${stderr}`)
        prevResult = json
      }
    },
    async check() {
      const answers: Answer[] = []
      for (const config of all)
        answers.push(await world.call('CHECK', withResult(config), { ...request, type: config.type }))
      return answers
    },
    async del({ netns: where = netns, prevResult: known } = {}) {
      const answers: Answer[] = []
      for (const config of all.toReversed()) {
        const asked = known === false ? config : withResult(config)
        answers.push(await world.call('DEL', asked, { ...request, type: config.type, netns: where }))
      }
      return answers
    },
  }
}

/** GC of each plugin of the list. */
export async function gc(world: World, sample: Sample, valid: readonly Container[]): Promise<Answer[]> {
  const { ifname = 'eth0' } = sample
  const list = valid.map(({ containerId: containerID }) => ({ containerID, ifname }))
  const answers: Answer[] = []
  for (const config of configs(world, sample, '')) {
    const request = { type: config.type, containerId: '', netns: '', ifname: '' }
    answers.push(await world.call('GC', { ...config, 'cni.dev/valid-attachments': list }, request))
  }
  return answers
}
