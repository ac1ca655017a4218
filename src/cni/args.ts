// CNI_ARGS: `MAC=02:00:00:00:00:01;IgnoreUnknown=1`.
import { TnetError } from '../errors.ts'

export type Args<K extends string> = Readonly<Partial<Record<K, string>>>

const TRUTH: Readonly<Record<string, boolean>> = { '1': true, true: true, '0': false, false: false }

/**
 * The values of the arguments that `known` names; names are told apart by case. An empty value is as good as none.
 * Throws TnetError INTERNAL, which is 999 to a runtime, as the reference plugins do: where a pair is not `KEY=VALUE`,
 * and where an argument is unknown unless IgnoreUnknown is true.
 */
export function cniArgs<const K extends string>(text: string, known: readonly K[]): Args<K> {
  const values: Partial<Record<K, string>> = {}
  const unknown: string[] = []
  let ignoreUnknown = false
  for (const pair of text === '' ? [] : text.split(';')) {
    const [key = '', value, ...more] = pair.split('=')
    if (value === undefined || more.length > 0) throw bad(`invalid pair ${JSON.stringify(pair)}`)
    const name = known.find(name => name === key)
    if (key === 'IgnoreUnknown') ignoreUnknown = truth(pair, value)
    else if (name === undefined) unknown.push(JSON.stringify(pair))
    else if (value !== '') values[name] = value
    else delete values[name]
  }
  if (unknown.length > 0 && !ignoreUnknown) throw bad(`unknown args [${unknown.join(' ')}]`)
  return values
}

function truth(pair: string, value: string): boolean {
  const folded = value.toLowerCase()
  const known = Object.hasOwn(TRUTH, folded) ? TRUTH[folded] : undefined
  if (known === undefined)
    throw bad(`error parsing value of pair ${JSON.stringify(pair)}: want 1, true, 0 or false`)
  return known
}

function bad(what: string): TnetError {
  return new TnetError(
    'INTERNAL',
    `ARGS: ${what}`,
    'CNI_ARGS is a list KEY=VALUE;KEY=VALUE; IgnoreUnknown=1 accepts any key',
  )
}
