// A rule of iptables' filter table: in the words of iptables, and as iptables-nft writes it.
import { cmp } from '../../netlink/netfilter/expr/cmp.ts'
import { commentOf, match } from '../../netlink/netfilter/expr/compat.ts'
import { immediate } from '../../netlink/netfilter/expr/immediate.ts'
import { type MetaKey, meta } from '../../netlink/netfilter/expr/meta.ts'
import { fields, payload } from '../../netlink/netfilter/expr/payload.ts'
import type { Expression } from '../../netlink/netfilter/expression.ts'
import { addressBytes, addressText } from '../../wire/address.ts'
import { encode, string } from '../../wire/codec.ts'

/** What of iptables tnet writes and recognises; the kernel joins the conditions by "and". */
export interface FilterRule {
  /** `-i` */
  readonly in?: string
  /** `-o` */
  readonly out?: string
  /** `! -o` */
  readonly notOut?: string
  /** `-s`: one address. */
  readonly source?: string
  /** `-d`: one address. */
  readonly destination?: string
  readonly comment?: string
  /** `-m conntrack --ctstate RELATED,ESTABLISHED` */
  readonly established?: true
  /** `-j`: ACCEPT, DROP, RETURN, or the name of a chain. */
  readonly target: string
}

const VERDICTS = { ACCEPT: 'accept', DROP: 'drop', RETURN: 'return' } as const
const ESTABLISHED = match.conntrack(['RELATED', 'ESTABLISHED'])
const NO_COUNTS = { name: 'counter', data: { bytes: 0n, packets: 0n } } as const

/** The rule byte by byte as iptables-nft writes it: in any other form it refuses to work on the table. */
export function expressionsOf(rule: FilterRule): Expression[] {
  const { source, destination, comment, established, target } = rule
  const isVerdict = (name: string): name is keyof typeof VERDICTS => Object.hasOwn(VERDICTS, name)
  return [
    ...ofInterface('iifname', '==', rule.in),
    ...ofInterface('oifname', '==', rule.out),
    ...ofInterface('oifname', '!=', rule.notOut),
    ...ofAddress('source', source),
    ...ofAddress('destination', destination),
    ...(comment === undefined ? [] : [match.comment(comment)]),
    ...(established === undefined ? [] : [ESTABLISHED]),
    NO_COUNTS,
    isVerdict(target) ? immediate[VERDICTS[target]]() : immediate.jump(target),
  ]
}

function ofInterface(key: MetaKey, operator: '==' | '!=', name: string | undefined): Expression[] {
  return name === undefined ? [] : [meta.load(key, 1), cmp(1, operator, encode(string, name))]
}

function ofAddress(end: 'source' | 'destination', address: string | undefined): Expression[] {
  if (address === undefined) return []
  const octets = addressBytes(address)
  return [payload.load(FIELDS[octets.length === 4 ? 4 : 16][end], 1), cmp(1, '==', octets)]
}

const FIELDS = {
  4: { source: fields.ipSaddr, destination: fields.ipDaddr },
  16: { source: fields.ip6Saddr, destination: fields.ip6Daddr },
} as const

/** The rule that the expressions are, whoever wrote them; undefined where they say more than a FilterRule can. */
export function filterRuleOf(expressions: readonly Expression[]): FilterRule | undefined {
  const words: { -readonly [K in keyof FilterRule]?: FilterRule[K] } = {}
  let loaded: string | undefined
  for (const one of expressions) {
    const { name, data } = one as { readonly name: string; readonly data?: object }
    if (name === 'counter') continue
    if (name === 'meta' || name === 'payload') loaded = loadedBy(data ?? {})
    else if (name === 'cmp') {
      const word = compared(loaded, data ?? {})
      if (word === undefined || Object.hasOwn(words, word[0])) return undefined
      Object.assign(words, Object.fromEntries([word]))
    } else {
      const word =
        name === 'match' ? matched(data ?? {}) : name === 'immediate' ? decided(data ?? {}) : undefined
      if (word === undefined) return undefined
      Object.assign(words, word)
    }
  }
  return words.target === undefined ? undefined : { ...words, target: words.target }
}

/** What an expression puts into the register: a key of meta, or where an address lies. */
function loadedBy(data: {
  readonly key?: unknown
  readonly base?: unknown
  offset?: number
  length?: number
}) {
  return data.base === undefined ? String(data.key) : `${String(data.base)} ${data.offset} ${data.length}`
}

const WORDS: Readonly<Record<string, keyof FilterRule>> = {
  'iifname ==': 'in',
  'oifname ==': 'out',
  'oifname !=': 'notOut',
  'network 12 4 ==': 'source',
  'network 16 4 ==': 'destination',
  'network 8 16 ==': 'source',
  'network 24 16 ==': 'destination',
}

function compared(
  loaded: string | undefined,
  { operator, data }: { readonly operator?: unknown; readonly data?: { readonly value?: Uint8Array } },
): [keyof FilterRule, string] | undefined {
  const word = WORDS[`${loaded} ${String(operator)}`]
  const value = data?.value
  if (word === undefined || value === undefined) return undefined
  if (word === 'source' || word === 'destination') return [word, addressText(value)]
  // Without its NUL it is `-i cni+`: every interface whose name begins so.
  return value.at(-1) === 0 ? [word, Buffer.from(value.subarray(0, -1)).toString()] : undefined
}

function matched(data: {
  readonly name?: string
  readonly info?: Uint8Array
}): Partial<FilterRule> | undefined {
  const { name, info = new Uint8Array() } = data
  if (name === 'comment') return { comment: commentOf(info) }
  const isEstablished = name === 'conntrack' && Buffer.compare(info, ESTABLISHED.data.info) === 0
  return isEstablished ? { established: true } : undefined
}

function decided({
  data,
}: {
  readonly data?: { readonly verdict?: { readonly code?: unknown; readonly chain?: string } }
}): Partial<FilterRule> | undefined {
  const { code, chain } = data?.verdict ?? {}
  if (code === 'jump') return { target: chain ?? '' }
  const target = Object.entries(VERDICTS).find(([, verdict]) => verdict === code)?.[0]
  return target === undefined ? undefined : { target }
}

/** In the words of `iptables -S`, without the chain. */
export function argumentsOf(rule: FilterRule): string[] {
  const { source, destination, comment, established, target } = rule
  const option = (name: string, value: string | undefined) => (value === undefined ? [] : [name, value])
  const one = (address: string | undefined) => address && `${address}/${address.includes(':') ? 128 : 32}`
  return [
    ...option('-s', one(source)),
    ...option('-d', one(destination)),
    ...option('-i', rule.in),
    ...option('-o', rule.out),
    ...(rule.notOut === undefined ? [] : ['!', '-o', rule.notOut]),
    ...(comment === undefined ? [] : ['-m', 'comment', '--comment', comment]),
    ...(established === undefined ? [] : ['-m', 'conntrack', '--ctstate', 'RELATED,ESTABLISHED']),
    '-j',
    target,
  ]
}

/** Whether two rules are one and the same, whatever remark they carry. */
export function isSameRule(a: FilterRule, b: FilterRule): boolean {
  return (['in', 'out', 'notOut', 'source', 'destination', 'established', 'target'] as const).every(
    word => a[word] === b[word],
  )
}
