// tnet sandbox rm
import { TnetError } from '../../errors.ts'
import { removeSandbox } from '../../engine/sandbox-removal.ts'
import { command } from '../command.ts'
import { each } from '../each.ts'

export const sandboxRm = command({
  command: ['rm <name..>', 'remove'],
  describe: 'Remove sandboxes that are on no network',
  builder: yargs =>
    yargs
      .positional('name', { type: 'string', array: true, demandOption: true })
      .option('force', {
        alias: 'f',
        describe: 'disconnect them first; those that do not exist are no failure',
        type: 'boolean',
        default: false,
      })
      .example('$0 sandbox rm -f web db', '')
      .epilogue('Processes that run in a sandbox keep its namespace, without a name.'),
  async run(args, context) {
    return await each(args.name, context, async name => {
      const options = { ...context.folders, ...(await context.debugging()) }
      try {
        await removeSandbox(options, name, { force: args.force })
        await context.print(`${name}\n`)
      } catch (error) {
        if (!(args.force && error instanceof TnetError && error.code === 'NOT_FOUND')) throw error
      }
    })
  },
})
