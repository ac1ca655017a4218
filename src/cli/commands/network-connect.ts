// tnet network connect
import { connect } from '../../engine/networks/connect.ts'
import { withSameMac } from '../../engine/networks/endpoints.ts'
import { type Machine, openMachine } from '../../engine/networks/machine.ts'
import { findNetwork } from '../../engine/networks/records.ts'
import type { EndpointRecord } from '../../store/schema.ts'
import { command, text } from '../command.ts'
import type { Context } from '../io.ts'
import { visible } from '../text.ts'

export const networkConnect = command({
  command: 'connect <network> <sandbox>',
  describe: 'Put a sandbox on a network',
  builder: yargs =>
    yargs
      .positional('network', {
        describe: 'a name, or the beginning of an id',
        type: 'string',
        demandOption: true,
      })
      .positional('sandbox', {
        describe: 'a name, a path of a namespace, or pid:N',
        type: 'string',
        demandOption: true,
      })
      .option('ip', { ...text, describe: 'IPv4 address' })
      .option('ip6', { ...text, describe: 'IPv6 address' })
      .option('mac', { ...text, describe: 'MAC address of the interface' })
      .option('ifname', { ...text, describe: 'its name; left out: eth0, or the next that is free' })
      .option('print', { describe: 'print the addresses that it got', type: 'boolean', default: false })
      .example('$0 network connect front web', '')
      .example('$0 network connect --ip 10.5.1.7 --ifname lan0 back /run/netns/db', '')
      .example('$0 network connect front pid:1234', 'the namespace of a process'),
  async run(args, context) {
    await using machine = await openMachine({ ...context.folders, ...(await context.debugging()) })
    const { network, sandbox, ip, ip6, mac, ifname } = args
    const made = await connect(machine, { network, sandbox, ip, ip6, mac, ifname, cwd: context.io.cwd })
    if (args.print) await context.print(made.ips.map(address => `${address}\n`).join(''))
    if (mac !== undefined) await warnOfSame(machine, made, context)
  },
})

/** A bridge sends the frames of two that share a MAC address to one of them. */
async function warnOfSame(machine: Machine, made: EndpointRecord, { warn }: Context): Promise<void> {
  const network = (await findNetwork(machine.store, made.network)).value
  for (const { sandbox } of await withSameMac(machine, network, made)) {
    const both = `${made.sandbox} and ${sandbox}`
    await warn(`tnet: ${visible(`${both} have the same MAC address on ${network.name}: ${made.mac}`)}\n`)
  }
}
