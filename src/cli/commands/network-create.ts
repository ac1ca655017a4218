// tnet network create
import { createNetwork } from '../../engine/networks/create.ts'
import { openMachine } from '../../engine/networks/machine.ts'
import { command, repeated } from '../command.ts'
import { pairs } from '../pairs.ts'

export const networkCreate = command({
  command: 'create <name>',
  describe: 'Make a network, and print its id',
  builder: yargs =>
    yargs
      .positional('name', {
        describe: 'letters, digits, "_", "." and "-"',
        type: 'string',
        demandOption: true,
      })
      .option('driver', {
        alias: 'd',
        describe: 'bridge',
        type: 'string',
        default: 'bridge',
        requiresArg: true,
      })
      .option('subnet', { ...repeated, describe: 'CIDR; one of IPv4, one of IPv6' })
      .option('gateway', { ...repeated, describe: 'address of the host in a subnet' })
      .option('ip-range', { ...repeated, describe: 'part of a subnet that sandboxes get addresses from' })
      .option('aux-address', { ...repeated, describe: 'NAME=ADDRESS that no sandbox gets' })
      .option('ipv4', { describe: 'IPv4, on a free pool without --subnet', type: 'boolean', default: true })
      .option('ipv6', { describe: 'IPv6, on a free pool without --subnet', type: 'boolean', default: false })
      .option('internal', { describe: 'no way out of the network', type: 'boolean', default: false })
      .option('label', { ...repeated, describe: 'KEY or KEY=VALUE' })
      .option('opt', {
        ...repeated,
        alias: 'o',
        describe: 'KEY=VALUE: bridge, mtu, masquerade, icc, or the names that Docker has',
      })
      .example('$0 network create front', 'on the next free pool')
      .example('$0 network create --subnet 10.5.0.0/16 --ip-range 10.5.1.0/24 --gateway 10.5.0.1 back', '')
      .example('$0 network create --ipv6 -o mtu=9000 -o bridge=br-lab lab', ''),
  async run(args, context) {
    await using machine = await openMachine({
      ...context.folders,
      ...(await context.debugging()),
      make: true,
    })
    const { id } = await createNetwork(machine, {
      name: args.name,
      driver: args.driver,
      subnets: args.subnet,
      gateways: args.gateway,
      ranges: args['ip-range'],
      auxiliary: pairs('--aux-address', args['aux-address']),
      ipv4: args.ipv4,
      ipv6: args.ipv6,
      internal: args.internal,
      labels: pairs('--label', args.label, { bare: true }),
      options: pairs('--opt', args.opt),
    })
    await context.print(`${id}\n`)
  },
})
