// The settings of a link as it has them, and how they are changed.
import { type Change, change } from '../../net/batch.ts'
import { changeLink } from '../../net/links.ts'
import type { Sandbox } from '../../net/sandbox.ts'
import type { Link } from '../../netlink/route/link.ts'
import type { LinkSettings } from './options.ts'

/** Of the settings that `wanted` speaks of, what the link has. */
export function settingsOf(link: Link, wanted: LinkSettings): LinkSettings {
  const all = {
    mac: link.address ?? '',
    promisc: link.flags.has('promisc'),
    mtu: link.mtu ?? 0,
    allmulti: link.flags.has('allmulti'),
    txQLen: link.txQueueLength ?? 0,
  }
  return Object.fromEntries(Object.entries(all).filter(([key]) => key in wanted))
}

/** Throws the first refusal; what came before it is done. */
export async function applySettings(
  sandbox: Sandbox,
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
  if (changes.length > 0) await change(sandbox.route, changes)
}
