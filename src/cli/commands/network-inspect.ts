// tnet network inspect
import { inspection } from '../../engine/networks/inspect.ts'
import { openMachine } from '../../engine/networks/machine.ts'
import { findNetwork } from '../../engine/networks/records.ts'
import { choice, command } from '../command.ts'
import { each } from '../each.ts'
import { json } from '../text.ts'

export const networkInspect = command({
  command: 'inspect <network..>',
  describe: 'Show all about networks',
  builder: yargs =>
    yargs
      .positional('network', {
        describe: 'names, or beginnings of ids',
        type: 'string',
        array: true,
        demandOption: true,
      })
      .option('format', {
        alias: 'f',
        describe: 'json: an object in each line; left out: a list with indentation',
        ...choice('--format', ['json']),
      })
      .example('$0 network inspect front', ''),
  async run(args, context) {
    await using machine = await openMachine({
      ...context.folders,
      ...(await context.debugging()),
      look: true,
    })
    const found: object[] = []
    const status = await each(args.network, context, async reference => {
      found.push(await inspection(machine, (await findNetwork(machine.store, reference)).value))
    })
    if (args.format === 'json') await context.print(found.map(object => `${json(object)}\n`).join(''))
    else await context.print(`${json(found, 4)}\n`)
    return status
  },
})
