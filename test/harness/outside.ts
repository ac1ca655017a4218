// Another host on the wire: a namespace beside that of a host, joined to it by a veth pair.
import { makeNetns, type Netns } from './namespaces.ts'
import { run } from './run.ts'

/** Where the two reach each other. */
export const HOST = { 4: '192.0.2.1', 6: '2001:db8::1' } as const
export const OUTSIDE = { 4: '192.0.2.2', 6: '2001:db8::2' } as const

type Place = Pick<Netns, 'run'>

/** Its link is eth0, that of the host up0. Of what is behind the host it knows the way to `networks` alone. */
export async function makeOutside(host: Place, ...networks: readonly string[]): Promise<Netns> {
  const outside = await makeNetns('outside')
  await host.run('ip', 'link', 'add', 'up0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', outside.name)
  for (const [place, link, addresses] of [
    [host, 'up0', HOST],
    [outside, 'eth0', OUTSIDE],
  ] as const) {
    await place.run('ip', 'address', 'add', `${addresses[4]}/24`, 'dev', link)
    await place.run('ip', 'address', 'add', `${addresses[6]}/64`, 'dev', link, 'nodad')
    await place.run('ip', 'link', 'set', link, 'up')
  }
  for (const network of networks) {
    await outside.run('ip', 'route', 'add', network, 'via', HOST[network.includes(':') ? 6 : 4])
  }
  return outside
}

/** As `makeOutside`, beside the test's own namespace, whose default routes go by it. */
export async function makeInternet(...networks: readonly string[]): Promise<Netns> {
  const own: Place = { run: (file, ...args) => run(file, args) }
  const outside = await makeOutside(own, ...networks)
  for (const address of [OUTSIDE[4], OUTSIDE[6]])
    await own.run('ip', 'route', 'add', 'default', 'via', address)
  return outside
}
