// tnet network prune
import { openMachine } from '../../engine/networks/machine.ts'
import { pruneNetworks } from '../../engine/networks/remove.ts'
import { command, repeated } from '../command.ts'
import { confirmed } from '../confirm.ts'
import { networkFilter } from '../filters.ts'

const WARNING = 'WARNING! This will remove all networks that no sandbox and no container is on.\n'

export const networkPrune = command({
  command: 'prune',
  describe: 'Remove all networks that nobody is on',
  builder: yargs =>
    yargs
      .option('force', { alias: 'f', describe: 'do not ask', type: 'boolean', default: false })
      .option('filter', { ...repeated, describe: 'label= or label!=' })
      .example('$0 network prune -f --filter label!=keep', ''),
  async run(args, context) {
    const wanted = networkFilter(args.filter, ['label', 'label!'])
    if (!args.force && !(await confirmed(WARNING, context))) return
    await using machine = await openMachine({ ...context.folders, ...(await context.debugging()) })
    const names = await pruneNetworks(machine, wanted)
    if (names.length > 0) await context.print(`Deleted Networks:\n${names.map(name => `${name}\n`).join('')}`)
  },
})
