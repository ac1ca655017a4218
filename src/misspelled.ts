// Which known word somebody may have meant.

/** The nearest of `words` where it is near enough to be a slip: up to two letters, in long words. Case is no slip. */
export function nearest(word: string, words: Iterable<string>): string | undefined {
  let best: { readonly word: string; readonly distance: number } | undefined
  for (const candidate of words) {
    const most = Math.min(2, Math.floor(candidate.length / 3))
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase(), most)
    if (distance !== undefined && (best === undefined || distance < best.distance)) {
      best = { word: candidate, distance }
    }
  }
  return best?.word
}

/** How many letters to insert, remove, replace or swap with their neighbour; undefined where it is more than `most`. */
export function editDistance(a: string, b: string, most: number): number | undefined {
  if (Math.abs(a.length - b.length) > most) return undefined
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row[j] = Math.min(
        (above[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (above[j - 1] ?? 0) + (same ? 0 : 1),
        swapped ? (before[j - 2] ?? 0) + 1 : Infinity,
      )
    }
    before = above
    above = row
  }
  const distance = above[b.length] ?? 0
  return distance <= most ? distance : undefined
}
