// firewalld forgets sources when it reloads or starts: brings them back, for as long as somebody wants that.
import { type Log, sweep } from '../../steps.ts'
import type { Containers } from '../firewall/containers.ts'
import { Bus } from './bus.ts'
import { restore, sourceIn } from './firewalld.ts'
import { FIREWALLD, type FirewalldAccess, Zones } from './zones.ts'

const SIGNALS = [
  `type='signal',sender='${FIREWALLD}',interface='${FIREWALLD}',member='Reloaded'`,
  `type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='${FIREWALLD}'`,
]

interface Keeping {
  readonly signal: AbortSignal
  readonly log: Log
}

/**
 * Until `signal`. Throws UNAVAILABLE where there is no message bus, or where its connection ends; KERNEL, TRY_AGAIN
 * where some could not be brought back.
 */
export async function keepSources(
  record: Containers,
  access: FirewalldAccess,
  keeping: Keeping,
): Promise<void> {
  const { signal } = keeping
  using bus = await Bus.open(access.bus)
  const end = () => bus[Symbol.dispose]()
  signal.addEventListener('abort', end, { once: true })
  try {
    const message = await bus.subscribe(SIGNALS)
    // Whatever the message: to look once too often costs nothing.
    for (; !signal.aborted; await message()) await bringBack(record, access, keeping)
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    signal.removeEventListener('abort', end)
  }
}

/** In many turns: with hundreds of containers it takes firewalld seconds, and others wait to come and go. */
async function bringBack(
  record: Containers,
  access: FirewalldAccess,
  { signal, log }: Keeping,
): Promise<void> {
  using zones = await Zones.openIfAny(access.bus)
  if (zones === undefined) return
  const forgotten = await zones.missing((await record.list()).flatMap(sourceIn()))
  const owners = new Set(forgotten.map(({ owner }) => owner))
  let count = 0
  await sweep(
    [...owners].map(owner => async () => {
      if (signal.aborted) return
      using _turn = await access.turn()
      count += await restore(record, zones, each => each === owner)
    }),
  )
  if (count > 0) log(`firewalld had forgotten ${count} addresses of containers: they are sources again`)
}
