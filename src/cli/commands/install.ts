// tnet install: a copy of the plugin directory that this executable stands in.
import { dirname, resolve } from 'node:path'
import { installDirectory } from '../../engine/install.ts'
import { builtRuntime } from '../built.ts'
import { command, format } from '../command.ts'
import { json, visible } from '../text.ts'

export const install = command({
  command: 'install',
  describe: 'Copy all plugins and tnet itself into a directory',
  builder: yargs =>
    yargs
      .option('bin-dir', {
        describe: 'where the container runtime looks for CNI plugins',
        type: 'string',
        requiresArg: true,
        demandOption: true,
      })
      .option('format', format)
      .example('$0 install --bin-dir /opt/cni/bin', 'in place of the reference plugins')
      .epilogue('Each file is replaced in one step: plugins that run meanwhile go on undisturbed.'),
  async run(args, { print, io }) {
    const runtime = builtRuntime(`install into ${args['bin-dir']}`, 'dist/bin/tnet install --bin-dir DIR')
    const to = resolve(io.cwd, args['bin-dir'])
    const installed = await installDirectory(dirname(runtime), to)
    if (args.format === 'json') await print(installed.map(name => `${json({ Name: name })}\n`).join(''))
    else await print(installed.map(name => `${visible(name)}\n`).join(''))
  },
})
