/** Bytes from `from` up to `to`, which is the first behind them. */
export interface ByteRange {
  readonly from: number
  readonly to: number
}

/** Which bytes of a file are there. */
export class ByteRanges {
  /** Disjoint, ascending. */
  #ranges: readonly ByteRange[] = []

  add(added: ByteRange): void {
    if (added.to <= added.from) return
    const touching = this.#ranges.filter(({ from, to }) => from <= added.to && to >= added.from)
    const apart = this.#ranges.filter((range) => !touching.includes(range))
    const from = Math.min(added.from, ...touching.map((range) => range.from))
    const to = Math.max(added.to, ...touching.map((range) => range.to))
    this.#ranges = [...apart, { from, to }].sort((a, b) => a.from - b.from)
  }

  /** Number of bytes from `offset` on that are there. */
  present(offset: number): number {
    const range = this.#ranges.find(({ from, to }) => from <= offset && offset < to)
    return range === undefined ? 0 : range.to - offset
  }

  /** Start of the next range behind `offset`; Infinity if there is none. */
  next(offset: number): number {
    return this.#ranges.find(({ from }) => from > offset)?.from ?? Infinity
  }

  /** Number of bytes that are there. */
  get bytes(): number {
    return this.#ranges.reduce((sum, { from, to }) => sum + to - from, 0)
  }

  /** Length of the only range if it begins the file; else 0. */
  get prefix(): number {
    const [first, ...more] = this.#ranges
    return first?.from === 0 && more.length === 0 ? first.to : 0
  }

  get all(): readonly ByteRange[] {
    return this.#ranges
  }
}

/**
 * A line of the journal that says which bytes of a partial file were written. It names the file by its inode: a journal
 * that outlived its file says nothing of the next one.
 */
export const journalLine = (inode: string, { from, to }: ByteRange): string => `${inode} ${from} ${to}\n`

/** The ranges that a journal lists; lines that are cut, or of another file, are left out. */
export function readJournal(text: string, inode: string, size: number): ByteRanges {
  const ranges = new ByteRanges()
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  for (const [, own, from, to] of whole.matchAll(/^(\d+) (\d+) (\d+)$/gm))
    if (own === inode && Number(to) <= size) ranges.add({ from: Number(from), to: Number(to) })
  return ranges
}
