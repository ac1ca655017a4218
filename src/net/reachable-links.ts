// Links in all namespaces that can be reached: those of attachments that are no more, and devices that are elsewhere.
import type { Link } from '../netlink/route/link.ts'
import { sweep } from '../steps.ts'
import { type KnownNamespace, ownNamespaces } from './namespaces.ts'
import { openKnown } from './reachable.ts'
import { Stack } from './stack.ts'

type Deed = (stack: Stack, namespace: KnownNamespace) => Promise<void>

/** Does `deed` in every namespace, whatever fails in others. */
export async function inReachable(deed: Deed): Promise<void> {
  const all = await ownNamespaces()
  await sweep(all.map(namespace => () => enter(namespace, deed)))
}

/** Removes every link that `isStale` says yes to. A namespace that ends meanwhile takes its links along. */
export async function removeStaleLinks(isStale: (link: Link) => boolean): Promise<void> {
  await inReachable(async stack => {
    const stale = (await stack.links.list()).filter(isStale)
    await sweep(
      stale.map(
        ({ index }) =>
          () =>
            stack.links.remove({ index }),
      ),
    )
  })
}

async function enter(namespace: KnownNamespace, deed: Deed): Promise<void> {
  using netns = openKnown(namespace)
  if (netns === undefined) return
  // To enter a namespace takes a right; to be in it does not.
  using stack = new Stack(namespace.own ? {} : { netns: netns.fd })
  await deed(stack, namespace)
}
