// Holds a tap device against what ADD made.
import { TnetError } from '../../errors.ts'
import { kindOf } from '../../net/links.ts'
import type { Interface } from '../../net/result.ts'
import type { Sandbox } from '../../net/sandbox.ts'
import type { Link } from '../../netlink/route/link.ts'
import type { Network, Port } from '../driver.ts'
import { checkMtu } from '../told-mtu.ts'
import type { TapOptions } from './tap.ts'

/** Throws CHECK_FAILED naming the first thing that is missing or changed. */
export async function check(
  { options }: Network<TapOptions>,
  { owner: { ifname }, sandbox, interfaces }: Port & { readonly interfaces: readonly Interface[] },
): Promise<void> {
  const link = await sandbox.links.get(ifname)
  if (link === undefined) throw failed(`${ifname} is gone from ${sandbox.path}`)
  checkDevice(options, link)
  if (options.mtu !== undefined) checkMtu(link, interfaces)
  await checkBridge(options, link, sandbox)
}

function checkDevice({ multiQueue, user, group }: TapOptions, link: Link): void {
  const { name, linkInfo } = link
  if (linkInfo?.kind !== 'tun') throw failed(`${name} is a ${kindOf(link)}, want a tap`)
  const found = { ...linkInfo.data } as Readonly<Record<string, unknown>>
  const wanted = { type: 'tap', multiQueue, owner: user, group }
  for (const [key, value] of Object.entries(wanted)) {
    if (value !== undefined && found[key] !== value) {
      throw failed(`${name} has the ${key} ${String(found[key] ?? 'none')}, want ${value}`)
    }
  }
}

async function checkBridge({ bridge }: TapOptions, { name, master }: Link, sandbox: Sandbox): Promise<void> {
  if (bridge === undefined) return
  const index = (await sandbox.links.get(bridge))?.index
  if (index === undefined || index !== master) throw failed(`${name} is not a port of ${bridge}`)
}

function failed(message: string): TnetError {
  return new TnetError('CHECK_FAILED', message, 'DEL and ADD the container again')
}
