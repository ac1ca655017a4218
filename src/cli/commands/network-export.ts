// tnet network export
import { statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { beside, CNI_VERSIONS, conflist, writeConflist } from '../../engine/networks/export.ts'
import { openStore } from '../../store/open.ts'
import { findNetwork } from '../../engine/networks/records.ts'
import { command, text } from '../command.ts'
import type { Context } from '../io.ts'
import { json, visible } from '../text.ts'

export const networkExport = command({
  command: 'export <network>',
  describe: 'Print a network as a CNI configuration, for container runtimes',
  builder: yargs =>
    yargs
      .positional('network', {
        describe: 'a name, or the beginning of an id',
        type: 'string',
        demandOption: true,
      })
      .option('output', { ...text, describe: 'a file to write, or a directory for NETWORK.conflist' })
      .option('force', { alias: 'f', describe: 'replace the file', type: 'boolean', default: false })
      .option('cni-version', {
        describe: 'of the configuration',
        choices: CNI_VERSIONS,
        default: '1.0.0',
      } as const)
      .example('$0 network export front', '')
      .example('$0 network export front --output /etc/cni/net.d', 'for a runtime')
      .epilogue(
        'Containers get addresses from the leases of the network. containerd uses the first file of its directory.',
      ),
  async run(args, context) {
    await using store = await openStore(context.folders.stateDir, { look: true })
    const network = (await findNetwork(store, args.network)).value
    const document = `${json(conflist(network, args['cni-version']), 2)}\n`
    if (args.output === undefined) return await context.print(document)
    const path = target(resolve(context.io.cwd, args.output), network.name)
    await writeConflist(path, document, { replace: args.force })
    await warnOfOthers(path, context)
  },
})

function target(path: string, name: string): string {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
    ? join(path, `${name}.conflist`)
    : path
}

async function warnOfOthers(path: string, { warn }: Context): Promise<void> {
  const [first] = await beside(path)
  if (first === undefined) return
  const name = path.slice(path.lastIndexOf('/') + 1)
  const taken = first < name ? `${first}, not this file` : 'this file from now on'
  await warn(
    `tnet: ${visible(path)}: there are other configurations beside it; containerd takes the first, which is ${visible(taken)}\n`,
  )
}
