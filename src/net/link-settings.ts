// The settings of a link as it has them, and how they are changed.
import type { Link, LinkRequest } from '../netlink/route/link.ts'
import { change } from './batch.ts'
import { changeLink } from './links.ts'
import type { Stack } from './stack.ts'

/** Of those that a link has; left out: as they are. */
export interface LinkSettings {
  readonly mac?: string
  readonly mtu?: number
  readonly promisc?: boolean
  readonly allmulti?: boolean
  readonly txQLen?: number
}

/** Of the settings that `wanted` speaks of, what the link has. */
export function settingsOf(link: Link, wanted: LinkSettings): LinkSettings {
  return Object.fromEntries(Object.entries(allSettings(link)).filter(([key]) => key in wanted))
}

export function allSettings(link: Link): Required<LinkSettings> {
  return {
    mac: link.address ?? '',
    promisc: link.flags.has('promisc'),
    mtu: link.mtu ?? 0,
    allmulti: link.flags.has('allmulti'),
    txQLen: link.txQueueLength ?? 0,
  }
}

/** What of `wanted` the link has not. */
export function missingSettings(link: Link, wanted: LinkSettings): LinkSettings {
  const has: LinkSettings = allSettings(link)
  return Object.fromEntries(
    Object.entries(wanted).filter(([key, value]) => has[key as keyof LinkSettings] !== value),
  )
}

/** Throws the first refusal; what came before it is done. */
export async function applySettings(stack: Stack, link: Link, wanted: LinkSettings): Promise<void> {
  const { index, name } = link
  const { mac, mtu, promisc, allmulti, txQLen } = wanted
  const rows: readonly (false | readonly [what: string, request: LinkRequest])[] = [
    mac !== undefined && [`MAC address ${mac}`, { address: mac }],
    promisc !== undefined && [`promisc ${promisc}`, flag('promisc', promisc)],
    mtu !== undefined && [`mtu ${mtu}`, { mtu }],
    allmulti !== undefined && [`allmulti ${allmulti}`, flag('allmulti', allmulti)],
    txQLen !== undefined && [`txqueuelen ${txQLen}`, { txQueueLength: txQLen }],
  ]
  const changes = rows
    .filter(row => row !== false)
    .map(([what, request]) => ({
      name: `set ${what} of ${name}`,
      request: changeLink({ index, ...request }),
    }))
  if (changes.length > 0) await change(stack.route, changes)
}

function flag(which: 'promisc' | 'allmulti', isOn: boolean): LinkRequest {
  const bits = new Set([which] as const)
  return { flags: isOn ? bits : new Set(), change: bits }
}
