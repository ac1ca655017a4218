// firewalld forgets sources when it reloads or starts: brings them back, for as long as somebody wants that.
import { asTnetError } from '../../errors.ts'
import type { Log } from '../../steps.ts'
import type { Containers } from '../firewall/containers.ts'
import type { FirewalldAccess } from '../gates.ts'
import { Bus } from './bus.ts'
import { restore } from './firewalld.ts'
import { FIREWALLD, Zones } from './zones.ts'

const SIGNALS = [
  `type='signal',sender='${FIREWALLD}',interface='${FIREWALLD}',member='Reloaded'`,
  `type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='${FIREWALLD}'`,
]

/** Until `signal`. Throws UNAVAILABLE where there is no message bus, or where its connection ends. */
export async function keepSources(
  record: Containers,
  access: FirewalldAccess,
  { signal, log }: { readonly signal: AbortSignal; readonly log: Log },
): Promise<void> {
  using bus = await Bus.open(access.bus)
  const end = () => bus[Symbol.dispose]()
  signal.addEventListener('abort', end, { once: true })
  try {
    const message = await bus.subscribe(SIGNALS)
    // Whatever the message: to look once too often costs nothing.
    for (; !signal.aborted; await message()) await bringBack(record, access, log)
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    signal.removeEventListener('abort', end)
  }
}

async function bringBack(record: Containers, access: FirewalldAccess, log: Log): Promise<void> {
  try {
    using _turn = await access.turn()
    using zones = await Zones.openIfAny(access.bus)
    const count = zones === undefined ? 0 : await restore(record, zones, () => true)
    if (count > 0) log(`firewalld had forgotten ${count} addresses of containers: they are sources again`)
  } catch (error) {
    log(`bring back sources of firewalld: ${asTnetError(error).message}`)
  }
}
