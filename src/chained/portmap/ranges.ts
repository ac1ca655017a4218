// Sets of numbers as ranges, in order and apart from each other.
import type { Range } from '../../net/mapping.ts'

export type Ranges = readonly Range[]

/** What is in `whole`, and not in `ranges`. */
export function without(ranges: Ranges, whole: Range): Ranges {
  const gaps: Range[] = []
  let from = whole[0]
  for (const [first, last] of ordered(ranges)) {
    if (from < first) gaps.push([from, first - 1n])
    if (last >= from) from = last + 1n
  }
  return from <= whole[1] ? [...gaps, [from, whole[1]]] : gaps
}

export function inBoth(one: Ranges, other: Ranges): Ranges {
  return one.flatMap(([from, to]) =>
    other.flatMap(([first, last]): Range[] => {
      const both: Range = [from > first ? from : first, to < last ? to : last]
      return both[0] <= both[1] ? [both] : []
    }),
  )
}

/** As they are, but in order, and those that touch joined. */
export function ordered(ranges: Ranges): Ranges {
  const joined: Range[] = []
  for (const range of ranges.toSorted((a, b) => (a[0] < b[0] ? -1 : 1))) {
    const before = joined.at(-1)
    if (before === undefined || range[0] > before[1] + 1n) joined.push(range)
    else if (range[1] > before[1]) joined[joined.length - 1] = [before[0], range[1]]
  }
  return joined
}
