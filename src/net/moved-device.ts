// Devices of the host that are moved into a sandbox, and back.
//
//   in    on the host: alias and mark; then out of it, and by the same request under the name in the sandbox
//   back  in the sandbox: mark, down, a name that nobody has, out of it, the own name; then on the host: the settings that
//         it had, alias and mark go
//
// Each part before a `;` is one system call, which no SIGKILL divides. So wherever a death leaves the device, its mark
// says whose it is and its alias how it is called; and a mark on the host, where nobody is at work, is what a death left.
import { sweep, type Log } from '../steps.ts'
import type { NetlinkError } from '../netlink/error.ts'
import type { Link, LinkRequest } from '../netlink/route/link.ts'
import type { LinkAddress } from './addresses.ts'
import { change } from './batch.ts'
import { marksOf, originalName } from './device-mark.ts'
import { DeviceRecords } from './device-records.ts'
import { digest } from './digest.ts'
import type { Host } from './host.ts'
import { applySettings, type LinkSettings, missingSettings } from './link-settings.ts'
import { addNames, changeLink, removeName } from './links.ts'
import { ownNetns } from './netns.ts'
import type { Sandbox } from './sandbox.ts'
import type { Stack } from './stack.ts'

const UP = new Set(['up'] as const)
const DOWN: ReadonlySet<'up'> = new Set()
/** Of an interface name, 4 characters are this. */
const OURS = 'tnet'
const DIGITS = 11
/** The kernel puts in the first number that nobody has. */
const ANY = `${OURS}%d`
/** What the kernel says where link or name are gone. */
const GONE = ['ENODEV', 'ENOENT', 'EINVAL']

export interface Marked {
  readonly link: Link
  readonly mark: string
}

/** What a device was on the host. */
export interface Before {
  readonly link: Link
  readonly addresses: readonly LinkAddress[]
}

export interface Entry extends Marked {
  /** What it is to be called in the sandbox. */
  readonly ifname: string
}

/** Moves a device into the sandbox, down. Where this throws, `putBack` sees what has been done. */
export async function moveIn(host: Stack, sandbox: Sandbox, { link, mark, ifname }: Entry): Promise<void> {
  const { index, name = '' } = link
  await change(host.route, [
    { name: `keep the name ${name}`, request: changeLink({ index, alias: name }) },
    { name: `mark ${name}`, request: addNames({ index }, [mark]) },
  ])
  await host.links.set({ index, netnsFd: sandbox.fd, name: ifname })
}

/** Undoes `moveIn`: the device is what it was, but for the routes by it. */
export async function putBack(
  host: Stack,
  sandbox: Sandbox,
  { before, mark }: { readonly before: Before; readonly mark: string },
): Promise<void> {
  const { link, addresses } = before
  const inside = (await sandbox.links.list()).filter(each => marksOf(each).includes(mark))
  await sweep(inside.map(each => () => bringOut(sandbox, host, { link: each, mark })))
  const isIt = (each: Link) =>
    marksOf(each).includes(mark) || (each.index === link.index && each.name === link.name)
  const outside = (await host.links.list()).find(isIt)
  if (outside === undefined) return
  const { index } = outside
  const settled = { name: link.name, alias: link.alias ?? '', settings: {}, warn: () => {} }
  await settle(host, { link: outside, mark }, settled)
  const { master } = link
  if (master !== undefined) await host.links.set({ index, master })
  if (link.flags.has('up')) await host.links.up({ index })
  const kept = addresses.filter(({ scope }) => scope !== 'link')
  await host.addresses.giveBack(kept.map(each => ({ ...each, whole: { ...each.whole, index } })))
}

/**
 * Moves a device out of the namespace `from` to the host, where `settleMarked` is to find it. That it is gone is success.
 */
export async function bringOut(from: Stack, host: Stack, { link, mark }: Marked): Promise<void> {
  const first = await moveOut(from, { link, mark }, originalName(link))
  if (first === undefined || !(await isIn(from, link, mark))) return
  // The kernel moves no device one of whose alternative names is taken where it comes to, or both of whose names are.
  await from.links.removeNames({ index: link.index }, await takenNames(link, host))
  const second = await moveOut(from, { link, mark }, ANY)
  if (second !== undefined && (await isIn(from, link, mark))) throw second
}

/** Answers with what the kernel said to the last request: it may have moved the device and not renamed it. */
async function moveOut(
  from: Stack,
  { link: { index }, mark }: Marked,
  name: string | undefined,
): Promise<NetlinkError | undefined> {
  using own = ownNetns()
  const move: LinkRequest = { index, netnsFd: own.fd, ...(name === undefined ? {} : { name }) }
  const errors = await from.route.attempt([
    addNames({ index }, [mark]), // where another implementation moved it in
    changeLink({ index, flags: DOWN, change: UP }),
    // Not for a moment may the host have what is called as in the sandbox: `eth0` is a name that means something there.
    changeLink({ index, name: parkedName(mark) }),
    changeLink(move),
  ])
  return errors.at(-1)
}

async function isIn(stack: Stack, { index }: Link, mark: string): Promise<boolean> {
  const link = await stack.links.get(index)
  return link !== undefined && marksOf(link).includes(mark)
}

/** Those alternative names of a device that the host has, too. */
async function takenNames({ alternativeNames }: Link, host: Stack): Promise<string[]> {
  const names = alternativeNames?.names ?? []
  const found = await Promise.all(names.map(name => host.links.get(name)))
  return names.filter((_, position) => found[position] !== undefined)
}

/**
 * Ends what is left of attachments on the host: devices whose mark `isToGo` get their name, their MAC address and the
 * like, and lose alias and mark.
 */
export async function settleMarked(
  host: Host,
  isToGo: (mark: string, link: Link) => boolean,
  warn: Log,
): Promise<void> {
  const links = await host.links.list()
  const marked = links.flatMap(link => marksOf(link).map(mark => ({ link, mark })))
  const toGo = marked.filter(({ mark, link }) => isToGo(mark, link))
  const records = new DeviceRecords(host.runDir)
  await sweep(
    toGo.map(({ link, mark }) => async () => {
      // Another link may have been given the mark by its container.
      const record = records.get(mark)
      const isDevice = record?.isOf(link) === true
      const settings = isDevice ? record.settings : {}
      await settle(host, { link, mark }, { name: originalName(link), alias: '', settings, warn })
      if (isDevice) records.remove(mark)
    }),
  )
}

interface Settled {
  readonly name: string | undefined
  readonly alias: string
  readonly settings: LinkSettings
  readonly warn: Log
}

async function settle(
  host: Stack,
  { link, mark }: Marked,
  { name, alias, settings, warn }: Settled,
): Promise<void> {
  const { index } = link
  try {
    await restoreSettings(host, link, settings)
  } catch (error) {
    warn(`${link.name} keeps what it got in a sandbox: ${String(error)}`) // it is of use all the same
  }
  if (name !== undefined && name !== link.name) await rename(host, link, name, warn)
  await change(host.route, [
    { name: `clear the alias of ${link.name}`, request: changeLink({ index, alias }), fine: GONE },
    { name: `unmark ${link.name}`, request: removeName({ index }, mark), fine: GONE },
  ])
}

/** Some cards take a MAC address only while they are down. What is a port of another link by now has its settings. */
async function restoreSettings(host: Stack, link: Link, settings: LinkSettings): Promise<void> {
  const missing = missingSettings(link, settings)
  if (Object.keys(missing).length === 0 || link.master !== undefined) return
  await host.links.set({ index: link.index, flags: DOWN, change: UP })
  await applySettings(host, link, missing)
}

/** Gives a device its name. Where that is taken, it keeps one of ours that it has, or gets one. */
async function rename(host: Stack, link: Link, original: string, warn: Log): Promise<void> {
  const { index, name = '' } = link
  const isTaken = (await host.links.get(original)) !== undefined
  if (!isTaken || !name.startsWith(OURS)) {
    const wanted = isTaken ? ANY : original
    await change(host.route, [
      { name: `set ${name} down`, request: changeLink({ index, flags: DOWN, change: UP }), fine: GONE },
      { name: `rename ${name} to ${wanted}`, request: changeLink({ index, name: wanted }), fine: GONE },
    ])
  }
  if (!isTaken) return
  const now = (await host.links.get(index))?.name ?? name
  warn(`${original} is the name of another link by now: the device that had it is back as ${now}`)
}

/** What a device is called on its way. */
function parkedName(mark: string): string {
  return `${OURS}${digest(mark).slice(0, DIGITS)}`
}
