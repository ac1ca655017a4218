// static as a CNI plugin and as the `ipam` of others: what the configuration and the three ways to ask come to.
import { TnetError } from '../errors.ts'
import { parseStatic, type StaticSection, staticAddresses } from '../ipam/static.ts'
import type { AssignedAddress } from '../net/assignment.ts'
import { type Address, addressOf, contains, formatAddress, formatCidr, parseCidr } from '../net/ip.ts'
import { cniArgs } from './args.ts'
import { validate } from './generated/static.js'
import type { IpamKind } from './ipam-plugin.ts'
import { isObject, type JsonObject } from './json.ts'
import { readResult, resultMissing } from './result.ts'
import { staticIpam as schema } from './schemas/static.ts'

const ARGUMENTS = ['IP', 'GATEWAY', 'MAC'] as const

export const staticIpam: IpamKind = {
  name: 'static',
  document: { schema, validate },
  readsRequests: true,
  async open({ config, version: cniVersion, environment: { command, args } }) {
    if (command === 'DEL' || command === 'GC') return staticAddresses({ ips: [], routes: [], dns: {} })
    const { ipam, prevResult } = config
    const section = isObject(ipam) ? ipam : {}
    const assignment = parseStatic({ ipam: section, more: argued(args), instead: asked(config), cniVersion })
    if (command !== 'CHECK') return staticAddresses(assignment)
    if (!isObject(prevResult)) throw resultMissing()
    return staticAddresses(assignment, readResult(prevResult, 'prevResult').ips)
  },
}

/** `IP=10.1.0.5/24,fd00::5/64;GATEWAY=10.1.0.1` of CNI_ARGS. A gateway is that of the addresses whose subnet has it. */
function argued(text: string): AssignedAddress[] {
  const { IP, GATEWAY } = cniArgs(text, ARGUMENTS)
  const gateways = split(GATEWAY).map(item => addressOf(item) ?? refused('GATEWAY', 'IP addresses', item))
  return split(IP).map(item => {
    const cidr = cidrOf(item)
    const gateway: Address | undefined = gateways.findLast(each => contains(cidr, each))
    return {
      address: formatCidr(cidr),
      ...(gateway === undefined ? {} : { gateway: formatAddress(gateway) }),
    }
  })
}

function split(list: string | undefined): string[] {
  return list === undefined ? [] : list.split(',').map(item => item.trim())
}

function cidrOf(item: string) {
  try {
    return parseCidr(item, 'IP')
  } catch {
    return refused('IP', 'IP addresses with their prefix lengths, such as 10.1.0.5/24', item)
  }
}

function refused(key: string, wanted: string, value: string): never {
  throw new TnetError('BAD_ENVIRONMENT', `CNI_ARGS: ${key}: want ${wanted}, got ${JSON.stringify(value)}`)
}

/** The newest way to ask wins over all others. */
function asked({ args, runtimeConfig }: JsonObject): StaticSection['instead'] {
  const cni = isObject(args) ? args['cni'] : undefined
  for (const [key, at] of [
    ['runtimeConfig.ips', runtimeConfig],
    ['args.cni.ips', cni],
  ] as const) {
    const addresses = isObject(at) ? at['ips'] : undefined
    if (Array.isArray(addresses) && addresses.length > 0) return { key, addresses }
  }
  return undefined
}
