// What host-local refuses: the code, and that no lease is changed.
import { mkdirSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { isolated } from '../harness/namespaces.ts'
import { refusals, type Refusal } from '../harness/refusals.ts'
import { type World } from '../harness/world.ts'

isolated(import.meta)

const subnet = '10.2.0.0/24'

function row(name: string, ipam: object, more: Partial<Refusal> & { config?: object } = {}): Refusal {
  return {
    name,
    code: 7,
    ...more,
    type: 'host-local',
    config: { ...more.config, ipam: { type: 'host-local', ...ipam } },
  }
}

function range(more: object): object {
  return { ranges: [[{ subnet, ...more }]] }
}

const rows: Refusal[] = [
  row('host bits in the subnet', { subnet: '10.2.0.1/24' }),
  row('a subnet without its length', { subnet: '10.2.0.0' }),
  row('a subnet that is none', { subnet: 'ten' }),
  row('an octal form', { subnet: '010.2.0.0/24' }),
  row('a short form', { subnet: '10.2/24' }),
  row('a length out of range', { subnet: '10.2.0.0/33' }),
  row('a /31', { subnet: '10.2.0.0/31' }),
  row('a /32', { subnet: '10.2.0.0/32' }),
  row('a /127', { subnet: 'fd00::/127' }),
  row('no ranges', {}),
  row('an empty list of ranges', { ranges: [] }),
  row('an empty range set', { ranges: [[]] }),
  row('a range start outside', range({ rangeStart: '10.3.0.1' })),
  row('a range end outside', range({ rangeEnd: '10.3.0.1' })),
  row('a range that ends before it begins', range({ rangeStart: '10.2.0.20', rangeEnd: '10.2.0.10' })),
  row('a range start of the other family', range({ rangeStart: 'fd00::1' })),
  row('a range start that is octal', range({ rangeStart: '10.2.0.010' })),
  row('a gateway that is none', range({ gateway: '10.2' })),
  row('overlap in a set', { ranges: [[{ subnet }, { subnet: '10.2.0.128/25' }]] }),
  row('overlap between sets', { ranges: [[{ subnet }], [{ subnet: '10.2.0.0/16' }]] }),
  row('two families in a set', { ranges: [[{ subnet }, { subnet: 'fd00::/64' }]] }),
  row(
    'two of a family before 0.3.0',
    { ranges: [[{ subnet }], [{ subnet: '10.3.0.0/24' }]] },
    { config: { cniVersion: '0.2.0' } },
  ),
  row('a subnet of the wrong type', { subnet: 5 }, { code: 7 }),
  row('ranges of the wrong type', { ranges: 'all' }, { code: 7 }),
  row('a requested address outside', { subnet }, { request: { args: 'IP=10.9.0.1' } }),
  row('a requested address that is the gateway', { subnet }, { request: { args: 'IP=10.2.0.1' } }),
  row('a requested address that is none', { subnet }, { code: 4, request: { args: 'IP=10.2' } }),
  row('a requested address that is octal', { subnet }, { code: 4, request: { args: 'IP=10.2.0.010' } }),
  row(
    'more requested than ranges',
    { subnet },
    { config: { runtimeConfig: { ips: ['10.2.0.5', '10.2.0.6'] } } },
  ),
  row(
    'a requested address that is taken',
    { subnet },
    { request: { args: 'IP=10.2.0.7', containerId: 'c2' }, before: taken('10.2.0.7') },
  ),
  row(
    'a second lease for the same interface',
    { subnet },
    { before: taken('10.2.0.7', 'c2\r\neth0'), request: { containerId: 'c2' } },
  ),
  row('an exhausted range', { subnet: '10.2.0.0/30' }, { code: 50, before: taken('10.2.0.2') }),
  row(
    'an exhausted second range takes nothing of the first',
    { ranges: [[{ subnet }], [{ subnet: '10.3.0.0/30' }]] },
    { code: 50, before: taken('10.3.0.2') },
  ),
  row('a missing resolvConf', { subnet, resolvConf: '/run/none' }, { code: 7 }),
  row(
    'a dataDir that is a file',
    { subnet, dataDir: '/run/a-file' },
    { code: 5, before: async () => writeFileSync('/run/a-file', '') },
  ),
  row('a dataDir that is no path', { subnet, dataDir: '/proc/none' }, { code: 5 }),
  row(
    'a relative dataDir',
    { subnet, dataDir: 'leases' },
    { onlyOurs: 'the reference writes to the current directory' },
  ),
  row('an unknown argument', { subnet }, { code: 999, request: { args: 'COLOUR=green' } }),
]

function taken(address: string, content = 'other\r\neth0'): (world: World) => Promise<void> {
  return async ({ leaseFolder }) => {
    mkdirSync(leaseFolder, { recursive: true })
    writeFileSync(`${leaseFolder}/${address}`, content)
  }
}

refusals(t, rows)
