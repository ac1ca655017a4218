// Keeps letting containers through firewalld: what it forgets with a reload comes back at once.
import { setTimeout as sleep } from 'node:timers/promises'
import { asTnetError } from '../errors.ts'
import { Host, type HostOptions } from '../net/host.ts'
import type { Log } from '../steps.ts'

/** Before it is tried again, be it that there is no message bus. */
const PAUSE = 5000

export interface KeepOptions extends Pick<HostOptions, 'runDir' | 'systemBus'> {
  readonly log: Log
  readonly signal: AbortSignal
}

/** Until `signal`. Where there is no message bus, it waits for one. Tells of an error once, however long it lasts. */
export async function keepFirewalld({ runDir, systemBus, log, signal }: KeepOptions): Promise<void> {
  using host = new Host({ runDir, systemBus })
  const gates = await host.gates()
  let told = ''
  while (!signal.aborted) {
    try {
      await gates.keepFirewalld(signal, log)
    } catch (error) {
      const { code, message } = asTnetError(error)
      if (code !== 'UNAVAILABLE' && message !== told) log(message)
      told = message
    }
    await sleep(PAUSE, undefined, { signal }).catch(() => {}) // the end
  }
}
