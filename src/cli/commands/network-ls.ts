// tnet network ls
import { hasIPv4 } from '../../engine/networks/inspect.ts'
import { openStore } from '../../store/open.ts'
import { allNetworks } from '../../engine/networks/records.ts'
import type { NetworkRecord } from '../../store/schema.ts'
import { command, format, repeated } from '../command.ts'
import { networkFilter } from '../filters.ts'
import { table } from '../table.ts'
import { json } from '../text.ts'

const SHORT = 12

export const networkLs = command({
  command: ['ls', 'list'],
  describe: 'List networks',
  builder: yargs =>
    yargs
      .option('quiet', { alias: 'q', describe: 'ids alone', type: 'boolean', default: false })
      .option('no-trunc', { describe: 'whole ids', type: 'boolean', default: false })
      .option('filter', { ...repeated, alias: 'f', describe: 'driver=, id=, label=, name=, scope= or type=' })
      .option('format', format)
      .example('$0 network ls --filter label=team=a -q', '')
      .example('$0 network ls --format json', 'an object in each line'),
  async run(args, context) {
    const { print } = context
    const fits = networkFilter(args.filter, ['driver', 'id', 'label', 'name', 'scope', 'type'])
    await using store = await openStore(context.folders.stateDir, { look: true })
    const all = (await allNetworks(store)).map(({ value }) => value)
    const networks = all.filter(fits)
    const id = (network: NetworkRecord) => (args['no-trunc'] ? network.id : network.id.slice(0, SHORT))
    if (args.quiet) return await print(networks.map(network => `${id(network)}\n`).join(''))
    if (args.format === 'json')
      return await print(networks.map(network => `${json(object(network, id(network)))}\n`).join(''))
    const rows = networks.map(network => [
      id(network),
      network.name,
      network.driver,
      'local',
      subnets(network),
    ])
    await print(table(['NETWORK ID', 'NAME', 'DRIVER', 'SCOPE', 'SUBNETS'], rows))
  },
})

function subnets({ ipam }: NetworkRecord): string {
  return ipam.subnets.map(({ subnet }) => subnet).join(' ')
}

/** The keys of Docker, all of them strings. */
function object(network: NetworkRecord, id: string): Record<string, string> {
  return {
    CreatedAt: network.created,
    Driver: network.driver,
    ID: id,
    IPv4: String(hasIPv4(network)),
    IPv6: String(network.ipv6),
    Internal: String(network.internal),
    Labels: Object.entries(network.labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    Name: network.name,
    Scope: 'local',
  }
}
