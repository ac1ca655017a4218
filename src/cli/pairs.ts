// Options of the form KEY=VALUE, which may be given several times.
import { TnetError, unwanted } from '../errors.ts'

/** `bare`: a key alone is allowed, with an empty value. Throws TnetError BAD_CONFIG. */
export function pairs(
  option: string,
  texts: readonly string[],
  { bare = false } = {},
): Readonly<Record<string, string>> {
  const found = new Map<string, string>()
  for (const text of texts) {
    const equals = text.indexOf('=')
    const key = equals < 0 ? text : text.slice(0, equals)
    if (key === '' || (equals < 0 && !bare))
      throw unwanted(option, bare ? 'KEY or KEY=VALUE' : 'KEY=VALUE', text)
    if (found.has(key)) throw new TnetError('BAD_CONFIG', `${option} ${key}: it is given twice`)
    found.set(key, equals < 0 ? '' : text.slice(equals + 1))
  }
  // A property each, __proto__ as well.
  return Object.fromEntries(found)
}
