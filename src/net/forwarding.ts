// The host as a router: switched on for the first sandbox, and off again where that attachment fails.
import type { Link } from '../netlink/route/link.ts'
import type { Steps } from '../steps.ts'
import type { Host } from './host.ts'
import { GATEWAY } from './owner.ts'

type Family = 4 | 6
const PARAMETER = { 4: 'net/ipv4/ip_forward', 6: 'net/ipv6/conf/all/forwarding' } as const

/** `own` is the name of the host's link that it is for. */
export async function forward(family: Family, own: string, host: Host, steps: Steps): Promise<void> {
  const parameter = PARAMETER[family]
  if ((await host.sysctl.get(parameter)) === '1') return
  const before = await overwritten(family, host)
  await steps.attempt(
    `forward IPv${family}`,
    () => host.sysctl.set(parameter, '1'),
    async () => {
      using _turn = await host.turn('alone')
      if ((await host.links.list()).some(link => isSomebodys(link, own))) return
      await host.sysctl.set(parameter, '0')
      for (const [name, value] of before) await host.sysctl.setIfPresent(name, value)
    },
  )
}

export async function forwards(family: Family, host: Host): Promise<boolean> {
  return (await host.sysctl.get(PARAMETER[family])) !== '0'
}

/** Whoever has come meanwhile, and found the host forwarding, has a link to a sandbox or a port of a bridge. */
function isSomebodys({ name, alias = '', master, linkNetnsid }: Link, own: string): boolean {
  return (master ?? linkNetnsid) !== undefined && name !== own && !alias.startsWith(GATEWAY)
}

/** What the kernel sets together with the parameter: a link may forward by itself, and redirects be refused. */
async function overwritten(family: Family, host: Host): Promise<Map<string, string>> {
  const links = (await host.links.list()).map(({ name = '' }) => `${name}/forwarding`)
  const names = ['default/forwarding', ...links, ...(family === 4 ? ['all/accept_redirects'] : [])]
  const values = new Map<string, string>()
  for (const name of names.map(each => `net/ipv${family}/conf/${each}`)) {
    const value = await host.sysctl.getIfPresent(name)
    if (value !== undefined) values.set(name, value)
  }
  return values
}
