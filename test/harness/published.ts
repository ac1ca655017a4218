// A host with containers on a bridge, whose ports are published, and another host on the wire.
import type { Answer } from './plugins.ts'
import { makeNetns, type Netns } from './namespaces.ts'
import { makeOutside } from './outside.ts'
import { dualStack } from './samples.ts'
import { type World } from './world.ts'

export interface Container extends AsyncDisposable {
  readonly netns: Netns
  readonly containerId: string
  /** Of IPv4, then of IPv6. */
  readonly addresses: readonly string[]
  /** portmap, with what the container is published with, or with other keys. */
  portmap(verb: 'ADD' | 'CHECK' | 'DEL', more?: object, ifname?: string): Promise<Answer>
}

export interface Published {
  readonly outside: Netns
  container(portmap: object, bridge?: object): Promise<Container>
}

export interface Mapping {
  readonly hostPort: number
  readonly containerPort: number
  readonly protocol?: string
  readonly hostIP?: string
}

/** The keys of portmap. */
export function publishing(portMappings: readonly Mapping[], more: object = {}): object {
  return { ...more, runtimeConfig: { portMappings } }
}

export async function publish(world: World): Promise<Published> {
  const outside = await makeOutside(world.host)
  return {
    outside,
    async container(portmap, bridge = {}) {
      const netns = await makeNetns('published')
      const request = { containerId: netns.name, netns: netns.path }
      const under = world.config({ isDefaultGateway: true, ipMasq: true, ipam: dualStack, ...bridge })
      const added = await world.call('ADD', under, request)
      if (added.code !== 0) throw new Error(`ADD of bridge: ${added.stdout}`)
      const ips = added.json?.['ips'] as { address: string }[]
      const call = (verb: 'ADD' | 'CHECK' | 'DEL', more: object = portmap, ifname = 'eth0') =>
        world.call(
          verb,
          { ...world.config(), type: 'portmap', prevResult: added.json, ...more },
          { ...request, type: 'portmap', ifname },
        )
      return {
        netns,
        containerId: netns.name,
        addresses: ips.map(({ address }) => address.split('/')[0] ?? ''),
        portmap: call,
        async [Symbol.asyncDispose]() {
          await world.call('DEL', under, request)
          await netns[Symbol.asyncDispose]()
        },
      }
    },
  }
}
