// The link that a VRF is.
import { TnetError } from '../../errors.ts'
import { type Change, make } from '../../net/batch.ts'
import { addLink, changeLink, kindOf } from '../../net/links.ts'
import type { Sandbox } from '../../net/sandbox.ts'
import type { Link } from '../../netlink/route/link.ts'

const UP = new Set(['up'] as const)
/** What those that we make are called by. They belong to all their members. */
const ALIAS = 'tnet vrf'

/** The VRF of this name, or undefined. Throws EXISTS where another kind of link has the name. */
export async function findVrf(sandbox: Sandbox, name: string): Promise<Link | undefined> {
  const link = await sandbox.links.get(name)
  if (link === undefined || link.linkInfo?.kind === 'vrf') return link
  throw new TnetError('EXISTS', `vrfname ${name}: there is a link of that name, of the kind ${kindOf(link)}`)
}

export function tableOf({ linkInfo }: Link): number {
  const data = linkInfo?.data as { readonly table?: number } | undefined
  return data?.table ?? 0
}

/** Makes one, up, with `table`, or with the first that no VRF has. */
export async function addVrf(sandbox: Sandbox, name: string, table: number | undefined): Promise<Link> {
  const used = new Set((await sandbox.links.list()).filter(isVrf).map(tableOf))
  let free = 1
  while (used.has(free)) free++
  const data = { table: table ?? free }
  const index = await sandbox.links.freeIndex()
  const changes: Change[] = [
    { name: `add VRF ${name}`, request: addLink({ index, name, linkInfo: { kind: 'vrf', data } }) },
    { name: `set up ${name}`, request: changeLink({ index, alias: ALIAS, flags: UP, change: UP }) },
  ]
  return make(sandbox.route, changes, {
    finish: () => sandbox.links.existing(name),
    undo: () => removeIdle(sandbox, name),
  })
}

/** Removes those VRFs of ours that have no member left; by name one alone. */
export async function removeIdle(sandbox: Sandbox, name?: string): Promise<void> {
  const links = await sandbox.links.list()
  const busy = new Set(links.map(({ master }) => master))
  for (const link of links.filter(isVrf)) {
    const isWanted = name === undefined || link.name === name
    if (isWanted && link.alias === ALIAS && !busy.has(link.index)) {
      await sandbox.links.remove({ index: link.index })
    }
  }
}

function isVrf({ linkInfo }: Link): boolean {
  return linkInfo?.kind === 'vrf'
}
