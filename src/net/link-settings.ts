// The settings of a link as it has them, and how they are changed.
import type { Link } from '../netlink/route/link.ts'
import { type Change, change } from './batch.ts'
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
export async function applySettings(
  stack: Stack,
  { index, name = '' }: Link,
  { mac, mtu, promisc, allmulti, txQLen }: LinkSettings,
): Promise<void> {
  const flag = (which: 'promisc' | 'allmulti', on: boolean): Change => ({
    name: `set ${which} of ${name} ${on ? 'on' : 'off'}`,
    request: changeLink({
      index,
      flags: on ? new Set([which] as const) : new Set<never>(),
      change: new Set([which] as const),
    }),
  })
  const changes: Change[] = [
    ...(mac === undefined
      ? []
      : [{ name: `set MAC address ${mac} of ${name}`, request: changeLink({ index, address: mac }) }]),
    ...(promisc === undefined ? [] : [flag('promisc', promisc)]),
    ...(mtu === undefined
      ? []
      : [{ name: `set mtu ${mtu} of ${name}`, request: changeLink({ index, mtu }) }]),
    ...(allmulti === undefined ? [] : [flag('allmulti', allmulti)]),
    ...(txQLen === undefined
      ? []
      : [
          {
            name: `set txqueuelen ${txQLen} of ${name}`,
            request: changeLink({ index, txQueueLength: txQLen }),
          },
        ]),
  ]
  if (changes.length > 0) await change(stack.route, changes)
}
