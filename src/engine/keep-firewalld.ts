// Keeps letting containers through firewalld: what it forgets with a reload comes back at once.
import { setTimeout as sleep } from 'node:timers/promises'
import { asTnetError } from '../errors.ts'
import { Host, type HostOptions } from '../net/host.ts'
import type { Log } from '../steps.ts'

/** Before it is looked again whether there is a message bus. */
const PAUSE = 5000

export interface KeepOptions extends Pick<HostOptions, 'runDir' | 'systemBus'> {
  readonly log: Log
  readonly signal: AbortSignal
}

/** Until `signal`. Where there is no message bus, it waits for one. */
export async function keepFirewalld({ runDir, systemBus, log, signal }: KeepOptions): Promise<void> {
  using host = new Host({ runDir, systemBus })
  const gates = await host.gates()
  while (!signal.aborted) {
    try {
      await gates.keepFirewalld(signal, log)
    } catch (error) {
      const { code, message } = asTnetError(error)
      if (code !== 'UNAVAILABLE') log(message)
    }
    await sleep(PAUSE, undefined, { signal }).catch(() => {})
  }
}
