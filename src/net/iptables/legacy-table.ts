// The filter table of iptables-legacy as text: what stands in it, and what has it changed.
import { addressBytes, addressText } from '../../wire/address.ts'
import { argumentsOf, type FilterRule } from './filter-rule.ts'
import {
  type Change,
  FORWARD,
  type NewRule,
  type Standing,
  type StandingRule,
  type Tag,
} from './filter-table.ts'
import { CHAINS, REMARK } from './rules.ts'

export interface Table extends Standing {
  readonly chains: readonly string[]
  /** Nothing in it drops, or decides at all. */
  readonly isBlank: boolean
  /** The line of a rule, by its handle. */
  readonly lines: readonly string[]
}

/** What is in others is nobody's business here, whatever its comments say. */
const LOOKED_AT: readonly string[] = [FORWARD, ...CHAINS]

/** What iptables-save prints of the filter table. */
export function tableOf(text: string): Table {
  const lines = text.split('\n').filter(line => line.startsWith('-A '))
  const policies = [...text.matchAll(/^:(\S+) (\S+)/gm)]
  return {
    hasForward: true,
    chains: policies.map(([, chain = '']) => chain),
    isBlank:
      lines.length === 0 && policies.every(([, chain, policy]) => chain !== FORWARD || policy === 'ACCEPT'),
    rules: lines.map(standingRule).filter(({ chain }) => LOOKED_AT.includes(chain)),
    lines,
  }
}

/** One transaction in the words of iptables-restore. A chain that somebody else has made meanwhile refuses it as a whole. */
export function scriptOf({ chains, lines }: Table, { chains: needed, remove, add }: Change): string {
  return [
    '*filter',
    ...needed.filter(chain => !chains.includes(chain)).map(chain => `-N ${chain}`),
    ...remove.map(({ handle }) => `-D${lines[Number(handle)]?.slice('-A'.length)}`),
    ...add.map(addition),
    'COMMIT',
    '',
  ].join('\n')
}

function addition({ chain, at, rule, tag }: NewRule): string {
  const comment = remarkOf(rule.comment, tag)
  const words = argumentsOf({ ...rule, ...(comment === undefined ? {} : { comment }) })
  return [at === 'first' ? '-I' : '-A', chain, ...words.map(quoted)].join(' ')
}

function quoted(word: string): string {
  return /[\s"\\]/.test(word) ? `"${word.replace(/["\\]/g, '\\$&')}"` : word
}

/** There is no user data here: the comment says whose a rule is, on what several share behind its own text. */
function remarkOf(comment: string | undefined, tag: Tag | undefined): string | undefined {
  if (tag === undefined) return comment
  const text = tag.needs === undefined ? tag.owner : `${tag.owner}: ${tag.needs}`
  return comment === undefined ? text : `${comment} ${text}`
}

const OWNED = /^(tnet \S+ \S+ [^\s:]+)(?:: (.+))?$/
const SHARED = new RegExp(`^(${REMARK} .+) (tnet)$`)

function tagOf(comment: string): { readonly comment?: string; readonly tag?: Tag } {
  const [, owner, needs] = OWNED.exec(comment) ?? []
  if (owner !== undefined) return { tag: { owner, needs } }
  const [, text, shared] = SHARED.exec(comment) ?? []
  if (text !== undefined && shared !== undefined) return { comment: text, tag: { owner: shared } }
  return { comment }
}

function standingRule(line: string, index: number): StandingRule {
  const [, chain = '', ...words] = wordsOf(line)
  const { comment: remark, ...rule } = ruleOf(words) ?? {}
  const { tag, ...comment } = remark === undefined ? {} : tagOf(remark)
  const { target } = rule
  return {
    chain,
    handle: BigInt(index),
    rule: target === undefined ? undefined : { ...rule, ...comment, target },
    tag,
  }
}

/** Quotes hold a word together, as iptables-save writes it. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(
    ([, inner, plain = '']) => inner?.replace(/\\(.)/g, '$1') ?? plain,
  )
}

const OPTIONS: Readonly<Record<string, keyof FilterRule>> = {
  '-i': 'in',
  '-o': 'out',
  '! -o': 'notOut',
  '-s': 'source',
  '-d': 'destination',
  '--comment': 'comment',
  '-j': 'target',
}

/** Undefined where the words say more than a FilterRule can. */
function ruleOf(words: readonly string[]): Partial<FilterRule> | undefined {
  const found: { -readonly [K in keyof FilterRule]?: FilterRule[K] } = {}
  for (let at = 0; at < words.length; at += 2) {
    const negated = words[at] === '!' ? '! ' : ''
    if (negated !== '') at++
    const name = `${negated}${words[at]}`
    const value = words[at + 1] ?? ''
    if (name === '-m' && (value === 'comment' || value === 'conntrack')) continue
    const option = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined
    const isStates = name === '--ctstate' && value.split(',').sort().join() === 'ESTABLISHED,RELATED'
    if (isStates) found.established = true
    else if (option === undefined || Object.hasOwn(found, option)) return undefined
    else {
      const plain = option === 'source' || option === 'destination' ? single(value) : value
      const isName = option === 'in' || option === 'out' || option === 'notOut'
      if (plain === undefined || (isName && value.endsWith('+'))) return undefined
      Object.assign(found, { [option]: plain })
    }
  }
  return found
}

/** An address that stands for itself alone. */
function single(text: string): string | undefined {
  const [address = '', length] = text.split('/')
  const octets = addressBytes(address)
  return length === undefined || Number(length) === 8 * octets.length ? addressText(octets) : undefined
}
