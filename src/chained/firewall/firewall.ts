// Lets the traffic of containers through the host's firewall, and keeps bridges apart where it is told to.
import type { LinkedPort, Linkless, Network } from '../../drivers/driver.ts'
import type { Admission, Gate } from '../../net/admission.ts'
import type { Backend, Gates } from '../../net/gates.ts'
import type { Host } from '../../net/host.ts'
import { TnetError } from '../../errors.ts'
import { sweep } from '../../steps.ts'
import { isolationOf } from './isolation.ts'
import { type FirewallConfig, type FirewallOptions, parse, parseLeaving } from './options.ts'

export const firewall: Linkless<FirewallConfig, FirewallOptions> = {
  name: 'firewall',
  parse,
  parseLeaving,

  async attach(network, port, host, steps) {
    const admission = await admissionOf(network, port, host)
    const gate = await chosen(network, await host.gates())
    const addresses = admission.addresses
    await steps.attempt(
      'let the container through',
      () => gate.admit(admission),
      () => gate.dismiss(port.owner, addresses),
    )
    return port.result
  },

  async detach(network, { owner, result }, host) {
    const addresses = result?.ips.map(({ address }) => address) ?? []
    await everywhere(network, host, gate => gate.dismiss(owner, addresses))
  },

  async check(network, port, host) {
    const gate = await chosen(network, await host.gates())
    await gate.check(await admissionOf(network, port, host))
  },

  async gc(network, valid, host) {
    await everywhere(network, host, gate => gate.gc(network.name, valid))
  },

  async status({ options }, host, warn) {
    const gates = await host.gates()
    const backend = options.backend ?? (await gates.running())
    if (backend === 'firewalld' && !(await gates.hasFirewalld())) {
      throw new TnetError('UNAVAILABLE', 'backend firewalld: it does not run')
    }
    for (const { command, program } of await gates.legacy()) warn(legacyText(backend, command, program))
    for (const chain of await gates.drops()) {
      if (!OWN[backend].test(chain))
        warn(`backend ${backend}: ${chain} drops what it does not accept itself${REMEDY}`)
    }
  },
}

/** The chains in which an accept of each stands. */
const OWN: Readonly<Record<Backend, RegExp>> = {
  iptables: /^ip6? filter FORWARD$/,
  nftables: /^inet tnet /,
  firewalld: /^inet firewalld /,
}
const ALIKE = ', which has the same command line'
const MOVE = ', or use iptables-nft'
const REMEDY =
  ', and an accept elsewhere does not overrule that: let the containers through there, or choose its backend'

/** A program of somebody else is executed to change what the host does: that has to be said. */
function legacyText(backend: Backend, command: string, program: string | undefined): string {
  const what = `${command} has a filter table`
  if (backend !== 'iptables') return `${what}: what it drops stays dropped; choose backend iptables${MOVE}`
  if (program === undefined)
    return `${what}, but is not installed on the host: what it drops stays dropped; install it${MOVE}`
  return `${what}: ${program} is executed for each container; none would be with iptables-nft${ALIKE}`
}

type Net = Network<FirewallOptions>

async function admissionOf({ options }: Net, port: LinkedPort, host: Host): Promise<Admission> {
  return {
    owner: port.owner,
    addresses: port.result.ips.map(({ address }) => address),
    isolation: await isolationOf(options.policy, port, host),
  }
}

async function chosen({ options }: Net, gates: Gates): Promise<Gate> {
  return gates.gate(options.backend ?? (await gates.running()), options)
}

/** What an earlier configuration, or another firewall of the host, has let through goes as well. */
async function everywhere({ options }: Net, host: Host, deed: (gate: Gate) => Promise<void>): Promise<void> {
  const tables = await host.tables()
  const isThere = (backend: Backend) => TABLES[backend].some(table => tables.has(table))
  const isAsked = options.backend === 'firewalld' || (options.backend === undefined && isThere('firewalld'))
  // What firewalld is to let through is on record with nftables: the one takes care of both.
  const all: Backend[] = isAsked ? ['iptables', 'firewalld'] : ['iptables', 'nftables']
  const present = all.filter(backend => isThere(backend) || (backend === 'firewalld' && isAsked))
  if (present.length === 0) return
  const gates = await host.gates()
  await sweep(present.map(backend => async () => deed(await gates.gate(backend, options))))
}

/** Where each keeps what it holds. */
const TABLES: Readonly<Record<Backend, readonly string[]>> = {
  iptables: ['ip filter', 'ip6 filter', 'iptables-legacy filter', 'ip6tables-legacy filter', 'bridge tnet'],
  nftables: ['inet tnet', 'bridge tnet'],
  firewalld: ['inet firewalld'],
}
