// Setup as named steps: each carries its own undo, and what is not committed is undone, newest first.
import { asTnetError, TnetError, together } from './errors.ts'

export type Log = (line: string) => void

/**
 * ```ts
 * await using steps = new Steps(log)
 * const link = await steps.step('add veth', () => links.add(spec), link => links.remove(link))
 * await print(result)
 * steps.commit()
 * ```
 */
export class Steps implements AsyncDisposable {
  readonly #log: Log
  #undo: { name: string; undo: () => unknown }[] = []

  constructor(log: Log = () => {}) {
    this.#log = log
  }

  /** Runs `deed`; its error is told with `name`. `undo` gets what `deed` made, and treats what is absent as success. */
  async step<T>(name: string, deed: () => T | Promise<T>, undo?: (made: T) => unknown): Promise<T> {
    this.#log(name)
    try {
      const made = await deed()
      if (undo !== undefined) this.#undo.push({ name, undo: () => undo(made) })
      return made
    } catch (error) {
      const { code, message, details } = asTnetError(error)
      throw new TnetError(code, `${name}: ${message}`, details, { cause: error })
    }
  }

  /** As `step`, for what may have happened although it failed: `undo` runs then too, and sees for itself. */
  async attempt<T>(name: string, deed: () => T | Promise<T>, undo: () => unknown): Promise<T> {
    this.#undo.push({ name, undo })
    return this.step(name, deed)
  }

  /** Keeps all that was made. */
  commit(): void {
    this.#undo = []
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { name, undo } of this.#undo.reverse()) {
      try {
        this.#log(`undo: ${name}`)
        await undo()
      } catch (error) {
        this.#log(`undo: ${name}: ${asTnetError(error).message}`)
      }
    }
    this.#undo = []
  }
}

/** Teardown: runs everything whatever fails, and reports the failures together. */
export async function sweep(deeds: readonly (() => unknown)[]): Promise<void> {
  const errors: unknown[] = []
  for (const deed of deeds) {
    try {
      await deed()
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length > 0) throw together(errors)
}
