// Reads what tap prints: shows the points as they come, of a failed one all, and counts.

export interface Count {
  readonly passed: number
  readonly failed: number
}

export interface Output {
  /** Shows a line that follows the one before. */
  readonly show: (line: string) => void
  /** What was skipped or is yet to do, a line for each. */
  readonly skips: string[]
  /** tap's own line of totals; empty where none has come. */
  totals: string
}

export const FAILURE: Count = { passed: 0, failed: 1 }

/** What a test says about its run: how many points it tried, the seed. */
function isRemark(line: string): boolean {
  return /^\s+# (?!Subtest|time=|$)/.test(line)
}

/** All but what frames the tests. */
function isTelling(line: string): boolean {
  return !/^\s*(# Subtest: .*|# time=.*|1\.\.\d+.*)?$/.test(line)
}

/** A line for each outermost point as it ends; of a failed one all that is not a plain `ok`. */
export async function read(lines: AsyncIterable<string>, show: Output['show']): Promise<Output> {
  const output: Output = { show, skips: [], totals: '' }
  let block: string[] = []
  let failing = false
  for await (const line of lines) {
    if (/^\s*ok .* # (SKIP|TODO)/i.test(line)) output.skips.push(line.trim())
    if (line.startsWith('# { total: ')) output.totals = line
    if (line.startsWith('# Subtest')) failing = false
    if (/^(not )?ok \d/.test(line)) {
      failing = line.startsWith('not ')
      for (const text of block.filter(failing ? isTelling : isRemark)) show(text)
      show(line)
      block = []
    } else if (failing && /^ {2}/.test(line)) {
      show(line)
    } else if (!/^\s*ok \d/.test(line)) {
      block.push(line)
    }
  }
  // What comes after the last point tells why a run ended before its time.
  if (output.totals === '') for (const text of block.filter(isTelling)) show(text)
  return output
}

/** `isGood`: by its exit status. Skips count as failures, but for what the kernel lacks. */
export function count({ totals, skips, show }: Output, isGood: boolean): Count {
  const total = (kind: string) => Number(new RegExp(`\\b${kind}: (\\d+)`).exec(totals)?.[1] ?? 0)
  for (const line of skips) show(`skipped: ${line}`)
  const unfounded = skips.filter(line => !line.includes('this kernel has no '))
  if (unfounded.length > 0)
    show(`${unfounded.length} skips that the kernel does not explain: each is a failure`)
  const failed = total('fail') + unfounded.length
  // A run that ends without totals, or badly without a failed test, has still failed.
  const hasEnded = isGood && totals !== ''
  return { passed: total('pass'), failed: hasEnded ? failed : Math.max(failed, 1) }
}

/** The last line of a run, and its exit status. */
export function finish(counts: readonly Count[]): never {
  const sum = (key: keyof Count) => counts.reduce((total, one) => total + one[key], 0)
  process.stdout.write(`\n${sum('passed')} passed, ${sum('failed')} failed\n`)
  process.exit(sum('failed') === 0 ? 0 : 1)
}
