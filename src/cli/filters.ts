// --filter KEY=VALUE: values of one key are alternatives, labels and different keys all have to fit.
import type { NetworkRecord } from '../store/schema.ts'
import { unwanted } from '../errors.ts'

type Test = (network: NetworkRecord, value: string) => boolean

const TESTS = {
  driver: (network, value) => network.driver === value,
  id: (network, value) => network.id.startsWith(value),
  label: (network, value) => hasLabel(network, value),
  'label!': (network, value) => !hasLabel(network, value),
  name: (network, value) => network.name.includes(value),
  scope: (_network, value) => value === 'local',
  type: (_network, value) => value === 'custom',
} as const satisfies Record<string, Test>

export type FilterKey = keyof typeof TESTS

/** Throws TnetError BAD_CONFIG for a key that is not among `allowed`. */
export function networkFilter(
  texts: readonly string[],
  allowed: readonly FilterKey[],
): (network: NetworkRecord) => boolean {
  const asked = texts.map(text => {
    const [, key, value] = /^([a-z]+!?)=(.*)$/s.exec(text) ?? []
    const known = allowed.find(each => each === key)
    if (known === undefined || value === undefined) {
      throw unwanted('--filter', allowed.map(each => `${each}=VALUE`).join(', '), text)
    }
    return { key: known, value }
  })
  const groups = [...Map.groupBy(asked, ({ key }) => key)]
  return network =>
    groups.every(([key, each]) => {
      const fits = ({ value }: { value: string }) => TESTS[key](network, value)
      return key.startsWith('label') ? each.every(fits) : each.some(fits)
    })
}

/** `KEY`, or `KEY=VALUE`. */
function hasLabel({ labels }: NetworkRecord, text: string): boolean {
  const equals = text.indexOf('=')
  if (equals < 0) return Object.hasOwn(labels, text)
  const key = text.slice(0, equals)
  return Object.hasOwn(labels, key) && labels[key] === text.slice(equals + 1)
}
