// What the commands about networks work on: this host, the store of what tnet keeps, and the folder of locks.
import { Host, type HostOptions } from '../../net/host.ts'
import { openStore } from '../../store/open.ts'
import type { Store } from '../../store/store.ts'
import { ownFolder } from '../../sys/own-folder.ts'
import type { Log } from '../../steps.ts'

export interface Machine extends AsyncDisposable {
  readonly host: Host
  readonly store: Store
  /** Where sandboxes and locks live. */
  readonly runDir: string
  /** For those who look into what tnet does. */
  readonly log: Log
  readonly trace: HostOptions['trace']
}

export interface Folders {
  readonly runDir: string
  readonly stateDir: string
}

export interface MachineOptions extends Folders {
  /** Makes the store where it is missing; otherwise there are no networks then. */
  readonly make?: boolean
  /** Only looks: a store that cannot be written will do. */
  readonly look?: boolean
  readonly log?: Log
  readonly trace?: HostOptions['trace']
}

/** Throws TnetError IO, PERMISSION. */
export async function openMachine({
  make = false,
  look = false,
  log = () => {},
  trace,
  ...folders
}: MachineOptions): Promise<Machine> {
  const { runDir, stateDir } = folders
  const store = await openStore(stateDir, { make, look })
  const host = new Host({ runDir, trace })
  return {
    host,
    store,
    runDir,
    log,
    trace,
    async [Symbol.asyncDispose]() {
      host[Symbol.dispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}

/**
 * All changes of networks and endpoints take turns: who has the turn knows that an unfinished endpoint is nobody's
 * work in progress, and that a free pool stays free. Throws TRY_AGAIN.
 */
export async function turn({ host, runDir }: Pick<Machine, 'host' | 'runDir'>): Promise<Disposable> {
  ownFolder(runDir)
  return host.lock('networks')
}
