// Which packets a container's ports are for: the few conditions of iptables and nft that are about addresses and links.
import { TnetError, unwanted } from '../../errors.ts'
import { checkedInterface } from '../../net/names.ts'
import { addressOf, cidr, type Family, parseCidr, width } from '../../net/ip.ts'
import { ALL_NAMES, allAddresses, type Box, type Range } from '../../net/mapping.ts'
import { inBoth, ordered, type Ranges, without } from './ranges.ts'

export type Backend = 'iptables' | 'nftables'

type Field = keyof Box

interface Condition {
  readonly field: Field
  readonly negated: boolean
  readonly ranges: Ranges
}

interface Kind {
  readonly family: Family
  readonly backend: '' | Backend | undefined
}

/** More than that is a mistake, and would be as many elements for each port. */
const MOST_BOXES = 64

const IPTABLES: Readonly<Record<string, Field>> = {
  '-s': 'saddr',
  '--src': 'saddr',
  '--source': 'saddr',
  '-d': 'daddr',
  '--dst': 'daddr',
  '--destination': 'daddr',
  '-i': 'iifname',
  '--in-interface': 'iifname',
}
const KNOWN = {
  iptables: '[!] -s ADDRESS[/LENGTH][,...], [!] -d ADDRESS[/LENGTH][,...] and -i LINK',
  nftables: 'ip|ip6 saddr|daddr [!=] ADDRESS[/LENGTH] and iifname LINK, each value also as { A, B }',
}

/** The packets that satisfy all conditions; undefined without any. Throws BAD_CONFIG, also at what we cannot do. */
export function parseConditions(
  key: string,
  texts: readonly string[] | undefined,
  kind: Kind,
): readonly Box[] | undefined {
  const words = (texts ?? []).flatMap(text => wordsOf(text))
  if (words.length === 0) return undefined
  const language = /^[-!]/.test(words[0] ?? '') ? 'iptables' : 'nftables'
  if (kind.backend && kind.backend !== language) {
    throw unwanted(key, `conditions of ${kind.backend}, which is the backend`, words.join(' '))
  }
  const read = language === 'iptables' ? readIptables : readNft
  const boxes = boxesOf(read(words, key, kind.family), kind.family)
  if (boxes.length > 0 && boxes.length <= MOST_BOXES) return boxes
  throw unwanted(
    key,
    boxes.length === 0 ? 'conditions that some packet satisfies' : 'fewer exceptions',
    words.join(' '),
  )
}

/** As a shell takes it apart: quotes hold a word together, braces and commas stand alone. */
function wordsOf(text: string): string[] {
  return text.match(/"[^"]*"|[{}]|!=|==|!|[^\s{}"]+/g)?.map(word => word.replaceAll('"', '')) ?? []
}

function boxesOf(conditions: readonly Condition[], family: Family): Box[] {
  const addresses = allAddresses(family)
  const rangesOf = (field: Field, whole: Range) =>
    conditions
      .filter(each => each.field === field)
      .reduce<Ranges>(
        (left, { negated, ranges }) => inBoth(left, negated ? without(ranges, whole) : ordered(ranges)),
        [whole],
      )
  const sources = rangesOf('saddr', addresses)
  const destinations = rangesOf('daddr', addresses)
  const names = rangesOf('iifname', ALL_NAMES)
  return sources.flatMap(saddr =>
    destinations.flatMap(daddr => names.map(iifname => ({ saddr, daddr, iifname }))),
  )
}

function readIptables(words: readonly string[], key: string, family: Family): Condition[] {
  const conditions: Condition[] = []
  for (let at = 0; at < words.length; at += 2) {
    const negated = words[at] === '!'
    if (negated) at++
    const name = words[at] ?? ''
    const field = Object.hasOwn(IPTABLES, name) ? IPTABLES[name] : undefined
    const value = words[at + 1]
    if (field === undefined || value === undefined) throw unknown(key, words, 'iptables', name)
    // nft has no ranges of names: it could not load again what it lists.
    if (field === 'iifname' && negated) throw unknown(key, words, 'iptables', `! ${name}`)
    const ranges = value.split(',').map(each => rangeOf(field, each, { key, family, any: '+' }))
    conditions.push({ field, negated, ranges })
  }
  return conditions
}

function readNft(words: readonly string[], key: string, family: Family): Condition[] {
  const conditions: Condition[] = []
  const rest = [...words]
  while (rest.length > 0) {
    const about = rest.shift() ?? ''
    const field =
      about === 'iifname' ? about : about === (family === 4 ? 'ip' : 'ip6') ? rest.shift() : undefined
    if (field !== 'saddr' && field !== 'daddr' && field !== 'iifname') {
      throw unknown(key, words, 'nftables', field === undefined ? about : `${about} ${field}`)
    }
    const negated = rest[0] === '!='
    if (field === 'iifname' && negated) throw unknown(key, words, 'nftables', 'iifname !=')
    if (negated || rest[0] === '==') rest.shift()
    const values = valuesOf(rest)
    if (values.length === 0) throw unknown(key, words, 'nftables', about)
    const ranges = values.map(each => rangeOf(field, each, { key, family, any: '*' }))
    conditions.push({ field, negated, ranges })
  }
  return conditions
}

/** One value, or those between braces. */
function valuesOf(rest: string[]): string[] {
  const first = rest.shift()
  if (first !== '{') return first === undefined || first === '}' ? [] : [first]
  const end = rest.indexOf('}')
  const inside = rest.splice(0, end < 0 ? rest.length : end + 1).filter(word => word !== '}')
  return end < 0
    ? []
    : inside
        .join(' ')
        .split(/[\s,]+/)
        .filter(word => word !== '')
}

interface About {
  readonly key: string
  readonly family: Family
  /** What stands for the rest of a name. */
  readonly any: '+' | '*'
}

function rangeOf(field: Field, text: string, { key, family, any }: About): Range {
  if (field === 'iifname') return nameRange(text, key, any)
  const address = addressOf(text)
  const net = address === undefined ? parseCidr(text, key) : cidr(address, width(address.family))
  if (net.family !== family) throw unwanted(key, `addresses of IPv${family}`, text)
  return [net.network.bits, net.last.bits]
}

const NAME_BYTES = 16

function nameRange(text: string, key: string, any: string): Range {
  const isPrefix = text.endsWith(any)
  const name = isPrefix ? text.slice(0, -1) : checkedInterface(key, text)
  const bytes = Buffer.from(name)
  if (bytes.length >= NAME_BYTES) throw unwanted(key, 'the name of a link', text)
  const from = Buffer.alloc(NAME_BYTES)
  const to = Buffer.alloc(NAME_BYTES, isPrefix ? 0xff : 0)
  bytes.copy(from)
  bytes.copy(to)
  return [BigInt(`0x${from.toString('hex')}`), BigInt(`0x${to.toString('hex')}`)]
}

function unknown(key: string, words: readonly string[], language: Backend, got: string): TnetError {
  return new TnetError(
    'BAD_CONFIG',
    `${key}: of the conditions of ${language}, want ${KNOWN[language]}, got ${JSON.stringify(got)} in ${JSON.stringify(words.join(' '))}`,
    'other conditions would have to be rules of a firewall of yours',
  )
}
