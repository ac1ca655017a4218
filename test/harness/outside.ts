// Another host on the wire: a namespace beside the one of the test, joined to it by a veth pair.
import { makeNetns, type Netns } from './namespaces.ts'
import { run } from './run.ts'

export interface Outside extends AsyncDisposable {
  readonly netns: Netns
  /** The addresses of the host, seen from there. */
  readonly host: { readonly ipv4: string; readonly ipv6: string }
}

/** The host's default routes go by it: it is the rest of the world. */
export async function makeOutside(): Promise<Outside> {
  const netns = await makeNetns('outside')
  await run('ip', ['link', 'add', 'wire0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', netns.name])
  const here = (...args: string[]) => run('ip', args)
  const there = (...args: string[]) => netns.run('ip', ...args)
  await here('address', 'add', '192.0.2.1/24', 'dev', 'wire0')
  await here('address', 'add', '2001:db8::1/64', 'dev', 'wire0', 'nodad')
  await there('address', 'add', '192.0.2.2/24', 'dev', 'eth0')
  await there('address', 'add', '2001:db8::2/64', 'dev', 'eth0', 'nodad')
  await here('link', 'set', 'wire0', 'up')
  await there('link', 'set', 'eth0', 'up')
  await here('route', 'add', 'default', 'via', '192.0.2.2')
  await here('-6', 'route', 'add', 'default', 'via', '2001:db8::2')
  return {
    netns,
    host: { ipv4: '192.0.2.1', ipv6: '2001:db8::1' },
    [Symbol.asyncDispose]: () => netns[Symbol.asyncDispose](),
  }
}
