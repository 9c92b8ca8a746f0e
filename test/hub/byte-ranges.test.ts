import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteRanges, journalLine, readJournal } from '../../src/hub/byte-ranges.js'

const RANGE = fc
  .tuple(fc.nat(60), fc.integer({ min: 1, max: 20 }))
  .map(([from, length]) => ({ from, to: from + length }))

describe('ByteRanges', () => {
  it('knows of every byte whether it is there, in whatever order ranges come', () => {
    fc.assert(
      fc.property(fc.array(RANGE), (added) => {
        const ranges = new ByteRanges()
        const there = new Set<number>()
        for (const range of added) {
          ranges.add(range)
          for (let at = range.from; at < range.to; at++) there.add(at)
        }
        for (let at = 0; at < 90; at++) {
          let present = 0
          while (there.has(at + present)) present++
          expect(ranges.present(at)).toBe(present)
          if (present > 0) continue
          const next = Math.min(...[...there].filter((other) => other > at))
          expect(ranges.next(at)).toBe(next)
        }
        expect(ranges.bytes).toBe(there.size)
        expect(ranges.prefix).toBe(ranges.all.length === 1 && there.has(0) ? there.size : 0)
      }),
    )
  })

  it('ignores empty ranges', () => {
    const ranges = new ByteRanges()
    ranges.add({ from: 5, to: 5 })
    expect([ranges.all, ranges.prefix]).toEqual([[], 0])
  })
})

describe('a journal', () => {
  it('gives its ranges, but for lines that were cut, of another file, or beyond the end', () => {
    const lines = [
      journalLine('7', { from: 0, to: 10 }),
      journalLine('8', { from: 10, to: 20 }),
      journalLine('7', { from: 90, to: 101 }),
      'garbage\n',
      journalLine('7', { from: 20, to: 30 }),
      '7 30 3',
    ]
    expect(readJournal(lines.join(''), '7', 100).all).toEqual([
      { from: 0, to: 10 },
      { from: 20, to: 30 },
    ])
  })
})
