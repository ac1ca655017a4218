// tnet network rm
import { TnetError } from '../../errors.ts'
import { openMachine } from '../../engine/networks/machine.ts'
import { removeNetwork } from '../../engine/networks/remove.ts'
import { command } from '../command.ts'
import { each } from '../each.ts'

export const networkRm = command({
  command: ['rm <network..>', 'remove'],
  describe: 'Remove networks that nobody is on',
  builder: yargs =>
    yargs
      .positional('network', {
        describe: 'names, or beginnings of ids',
        type: 'string',
        array: true,
        demandOption: true,
      })
      .option('force', {
        alias: 'f',
        describe: 'those that do not exist are no failure',
        type: 'boolean',
        default: false,
      })
      .example('$0 network rm front back', ''),
  async run(args, context) {
    await using machine = await openMachine({ ...context.folders, ...(await context.debugging()) })
    return await each(args.network, context, async reference => {
      try {
        await context.print(`${await removeNetwork(machine, reference)}\n`)
      } catch (error) {
        if (!(args.force && error instanceof TnetError && error.code === 'NOT_FOUND')) throw error
      }
    })
  },
})
