// tnet network disconnect
import { disconnect } from '../../engine/networks/disconnect.ts'
import { openMachine } from '../../engine/networks/machine.ts'
import { command } from '../command.ts'

export const networkDisconnect = command({
  command: 'disconnect <network> <sandbox>',
  describe: 'Take a sandbox off a network',
  builder: yargs =>
    yargs
      .positional('network', {
        describe: 'a name, or the beginning of an id',
        type: 'string',
        demandOption: true,
      })
      .positional('sandbox', {
        describe: 'as it was connected: it may be gone',
        type: 'string',
        demandOption: true,
      })
      .option('force', {
        alias: 'f',
        describe:
          'no failure if it is not connected; also what a runtime has left, by the id of its container',
        type: 'boolean',
        default: false,
      })
      .example('$0 network disconnect front web', ''),
  async run(args, context) {
    await using machine = await openMachine({ ...context.folders, ...(await context.debugging()) })
    const { network, sandbox, force } = args
    await disconnect(machine, { network, sandbox, force, cwd: context.io.cwd })
  },
})
