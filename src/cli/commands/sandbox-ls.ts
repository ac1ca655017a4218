// tnet sandbox ls
import { listSandboxes } from '../../engine/sandboxes.ts'
import { command, format } from '../command.ts'
import { table } from '../table.ts'
import { json, visible } from '../text.ts'

export const sandboxLs = command({
  command: ['ls', 'list'],
  describe: 'List sandboxes',
  builder: yargs =>
    yargs
      .option('quiet', { alias: 'q', describe: 'names alone', type: 'boolean', default: false })
      .option('format', format)
      .example('$0 sandbox ls -q', ''),
  async run(args, { print, folders: { runDir } }) {
    const all = await listSandboxes(runDir)
    if (args.quiet) return await print(all.map(({ name }) => `${visible(name)}\n`).join(''))
    if (args.format === 'json') {
      const objects = all.map(({ name, path, pids }) => ({
        Name: name,
        Path: path,
        Processes: String(pids.length),
      }))
      return await print(objects.map(object => `${json(object)}\n`).join(''))
    }
    const rows = all.map(({ name, path, pids }) => [name, path, String(pids.length)])
    await print(table(['NAME', 'PATH', 'PROCESSES'], rows))
  },
})
