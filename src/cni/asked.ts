// What a caller asks for besides the network's configuration: a MAC address, IP addresses. There are three ways to
// ask, and they are older than one another.
import { TnetError } from '../errors.ts'
import { addressOf, formatAddress, parseAddress, parseCidr, width } from '../net/ip.ts'
import { macOf, parseMac } from '../net/mac.ts'
import { cniArgs } from './args.ts'
import { isObject, type Json } from './json.ts'
import type { Request } from './plugin.ts'

/** The MAC address: the newest way to ask wins. Throws BAD_CONFIG, BAD_ENVIRONMENT. */
export function askedMac({ config, environment }: Request, known: readonly string[]): string | undefined {
  const newest = {
    'runtimeConfig.mac': at(config, 'runtimeConfig', 'mac'),
    'args.cni.mac': at(config, 'args', 'cni', 'mac'),
  }
  const fromArgs = cniArgs(environment.args, known)['MAC']
  for (const [key, value] of Object.entries(newest))
    if (typeof value === 'string') return parseMac(value, key)
  if (fromArgs !== undefined)
    return macOf(fromArgs) ?? refused('MAC', 'the MAC address of one link', fromArgs)
  const { mac } = config
  return typeof mac === 'string' ? parseMac(mac, 'mac') : undefined
}

/** The IP addresses, without prefix lengths: all ways to ask together. Throws BAD_CONFIG, BAD_ENVIRONMENT. */
export function askedAddresses({ config, environment }: Request, known: readonly string[]): string[] {
  const argument = cniArgs(environment.args, known)['IP']
  const asked: string[] = []
  if (argument !== undefined) {
    asked.push(plainOf(argument) ?? refused('IP', 'an IP address, with or without a prefix length', argument))
  }
  for (const [key, list] of [
    ['args.cni.ips', at(config, 'args', 'cni', 'ips')],
    ['runtimeConfig.ips', at(config, 'runtimeConfig', 'ips')],
  ] as const) {
    if (!Array.isArray(list)) continue
    asked.push(...list.filter(value => value !== '').map((value, i) => plain(String(value), `${key}[${i}]`)))
  }
  return [...new Set(asked)]
}

function plainOf(text: string): string | undefined {
  const [, address = '', prefix = '0'] = /^([^/]*)(?:\/([0-9]{1,3}))?$/.exec(text) ?? []
  const found = addressOf(address)
  return found === undefined || Number(prefix) > width(found.family) ? undefined : formatAddress(found)
}

function refused(key: string, wanted: string, value: string): never {
  throw new TnetError('BAD_ENVIRONMENT', `CNI_ARGS: ${key}: want ${wanted}, got ${JSON.stringify(value)}`)
}

/** Some runtimes send a prefix length with it; the subnet has one already. */
function plain(text: string, key: string): string {
  return formatAddress(text.includes('/') ? parseCidr(text, key).address : parseAddress(text, key))
}

function at(value: Json | undefined, ...path: string[]): Json | undefined {
  return path.reduce<Json | undefined>((inner, key) => (isObject(inner) ? inner[key] : undefined), value)
}
