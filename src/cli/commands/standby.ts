// tnet standby: processes that are loaded already when a plugin is called. It is the one process of tnet that stays, so
// it also does what only such a one can.
import { availableParallelism } from 'node:os'
import { keepFirewalld } from '../../engine/keep-firewalld.ts'
import { unwanted } from '../../errors.ts'
import { standBy } from '../../standby/standby.ts'
import { callersVariable } from '../../sys/environment.ts'
import { writeOutput } from '../../sys/stdio.ts'
import { builtRuntime } from '../built.ts'
import { command } from '../command.ts'
import { visible } from '../text.ts'

const MOST = 64

export const standby = command({
  command: 'standby',
  describe: 'Keep processes loaded that serve the calls of plugins, until it is ended',
  builder: yargs =>
    yargs
      .option('workers', {
        describe: 'how many calls are served at the same time',
        type: 'number',
        requiresArg: true,
        default: Math.max(2, availableParallelism()),
        defaultDescription: 'one for each processor, at least 2',
      })
      .example('$0 standby', 'as a service of the machine')
      .epilogue(
        'Plugins that find nobody standing by do the work themselves. It also brings back what firewalld forgets.',
      ),
  async run({ workers }, { folders: { runDir }, io }) {
    if (!Number.isInteger(workers) || workers < 1 || workers > MOST)
      throw unwanted('--workers', `a whole number from 1 to ${MOST}`, workers)
    const runtime = builtRuntime('standby', 'dist/bin/tnet standby')
    const end = new AbortController()
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end.abort())
    // Not by a stream: it would be non-blocking for whoever else has it.
    const log = (line: string) => void writeOutput(2, `tnet: ${visible(line)}\n`).catch(() => {})
    const { signal } = end
    const systemBus = callersVariable(io.env, 'DBUS_SYSTEM_BUS_ADDRESS')
    await Promise.all([
      standBy({ runtime, workers, log, signal }).finally(() => end.abort()),
      keepFirewalld({ runDir, systemBus, log, signal }),
    ])
  },
})
