// Lets one call of a namespace's verbs fail, as the kernel might.
import { SystemError } from '../../src/sys/syscalls.ts'

const EIO = 5
/** What answers with more verbs, and does nothing itself. */
const LOADED: readonly string[] = ['firewall', 'gates', 'gate', 'ports', 'connections', 'features']

/** Lets the n-th call of all that is wrapped fail. */
export function countdown(n: number, moment: 'before' | 'after') {
  let calls = 0
  let fired: string | undefined
  const wrap = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(object, key) {
        const value: unknown = Reflect.get(object, key, object)
        if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) return wrap(value)
        if (typeof value !== 'function' || typeof key === 'symbol') return value
        if (key === 'open') return value.bind(object) as unknown // asks the kernel for no more than a socket
        return (...args: unknown[]): unknown => {
          if (LOADED.includes(key)) return (value.apply(object, args) as Promise<object>).then(wrap)
          if (++calls !== n) return value.apply(object, args)
          fired = key
          const failure = new SystemError(`injected into ${key}`, EIO)
          if (moment === 'before') throw failure
          return Promise.resolve(value.apply(object, args)).then((made: Partial<Disposable> | undefined) => {
            made?.[Symbol.dispose]?.() // a lock, which would end with the process
            throw failure
          })
        }
      },
    })
  return { wrap, fired: () => fired !== undefined, name: () => fired }
}
