/** Number of insertions, deletions, replacements and swaps of neighbours that make `b` of `a`. */
function distance(a: string, b: string): number {
  let [before, last] = [[] as number[], Array.from({ length: b.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      row[j] = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + same)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        row[j] = Math.min(row[j]!, before[j - 2]! + 1)
    }
    ;[before, last] = [last, row]
  }
  return last[b.length]!
}

/** Name that a mistyped `word` probably means: at most a third of its letters differ; null if none is near. */
export function nearest(word: string, names: Iterable<string>): string | null {
  let [best, least] = [null as string | null, Math.min(word.length, Math.max(1, Math.floor(word.length / 3)) + 1)]
  for (const name of names) {
    const d = distance(word.toLowerCase(), name.toLowerCase())
    if (d < least) [best, least] = [name, d]
  }
  return best
}
