// Removes the limits of attachments that are gone, on the host and in all sandboxes that can be reached.
import type { Host } from '../../net/host.ts'
import { type Attached, networkTag, ownerOf, ownerTag } from '../../net/owner.ts'
import { reachableSandboxes } from '../../net/reachable.ts'
import type { Stack } from '../../net/stack.ts'
import { sweep } from '../../steps.ts'
import { unlimitLink } from './detach.ts'

export async function gc(network: string, valid: readonly Attached[], host: Host): Promise<void> {
  const kept = new Set(valid.map(attached => ownerTag({ network, ...attached })))
  const isStale = (tag: string) => tag.startsWith(networkTag(network)) && !kept.has(tag)
  await sweep([
    () => clean(host, isStale, false),
    () => reachableSandboxes(sandbox => clean(sandbox, isStale, true)),
  ])
}

/** The alias of an ifb, and that of the link which it works for, say whose they are; a link in a sandbox may have none. */
async function clean(stack: Stack, isStale: (tag: string) => boolean, isSandbox: boolean): Promise<void> {
  const links = await stack.links.list()
  const tags = new Set(links.flatMap(({ alias = '' }) => (isStale(alias) ? [alias] : [])))
  await sweep(
    [...tags].map(tag => () => {
      const [ifb, limited] = [true, false].map(isIfb =>
        links.find(({ alias, linkInfo }) => alias === tag && (linkInfo?.kind === 'ifb') === isIfb),
      )
      const named = isSandbox ? links.find(({ name }) => name === ownerOf(tag)?.ifname) : undefined
      return unlimitLink(stack, limited ?? named, ifb)
    }),
  )
}
