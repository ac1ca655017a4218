// tnet sandbox create
import { createSandbox } from '../../engine/sandboxes.ts'
import { command } from '../command.ts'
import { each } from '../each.ts'

export const sandboxCreate = command({
  command: 'create <name..>',
  describe: 'Make sandboxes',
  builder: yargs =>
    yargs
      .positional('name', {
        describe: 'letters, digits, "_", "." and "-"',
        type: 'string',
        array: true,
        demandOption: true,
      })
      .example('$0 sandbox create web db', '')
      .epilogue('For other programs a sandbox is a path, which `tnet sandbox ls` shows: nsenter --net=PATH'),
  async run(args, context) {
    return await each(args.name, context, async name => {
      await createSandbox(context.folders.runDir, name)
      await context.print(`${name}\n`)
    })
  },
})
