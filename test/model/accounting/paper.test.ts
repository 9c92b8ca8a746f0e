import { describe, expect, it } from 'vitest'
import { factorisationExample, paperTables, type PaperRow, type Variant } from '../../../src/model/accounting/paper.js'

const tables = paperTables()
const rowsOf = (id: string): readonly PaperRow[] => tables.find((t) => t.id === id)!.rows
const rowOf = (id: string, label: string): PaperRow => rowsOf(id).find((r) => r.label === label)!

/** The ways of counting under which the printed number follows, as they were found; a change of the arithmetic shows. */
const RELEASED_WITHOUT: Variant[] = ['without', 'wideWithout']
const RELEASED_WITH: Variant[] = ['with', 'wideWith']

describe('the example of section 3.1', () => {
  it('is 122.9M against 4.36M, 28 times smaller', () => {
    const { V, E, H, unfactorised, factorised, ratio } = factorisationExample()
    expect([V, E, H]).toEqual([30000, 128, 4096])
    expect((unfactorised / 1e6).toFixed(1)).toBe('122.9')
    expect((factorised / 1e6).toFixed(2)).toBe('4.36')
    expect(Math.round(ratio)).toBe(28)
  })
})

describe('sizes', () => {
  it.each([
    ['BERT base', 108, 108_490_752, RELEASED_WITHOUT],
    ['BERT large', 334, 333_557_760, RELEASED_WITHOUT],
    ['BERT xlarge', 1270, 1_271_095_296, RELEASED_WITHOUT],
  ] as const)('%s is %dM without its pooler', (label, printed, exact, ways) => {
    const row = rowOf('sizes', label)
    expect(row.printed).toEqual([printed])
    expect(row.computed.without).toBe(exact)
    expect(row.follows).toEqual([ways])
  })

  it.each([
    ['ALBERT base', 12, 11_683_584],
    ['ALBERT large', 18, 17_683_968],
  ] as const)('%s is %dM with its pooler', (label, printed, exact) => {
    const row = rowOf('sizes', label)
    expect(row.printed).toEqual([printed])
    expect(row.computed.with).toBe(exact)
    expect(row.follows).toEqual([RELEASED_WITH])
  })

  it('ALBERT xlarge is 58.7M: printed 59M as released, 60M with positions of the hidden size', () => {
    const row = rowOf('sizes', 'ALBERT xlarge')
    expect(row.printed).toEqual([60, 59])
    expect(row.computed.with).toBe(58_724_864)
    expect(row.follows).toEqual([['wideWith'], ['with']])
  })

  it('ALBERT xxlarge is 222.6M, and 233M and 235M follow from nothing', () => {
    const row = rowOf('sizes', 'ALBERT xxlarge')
    expect(row.printed).toEqual([233, 235])
    expect(row.computed.with).toBe(222_595_584)
    expect(row.follows).toEqual([[], []])
    expect(row.difference).toBe(233e6 - 222_595_584)
    expect(row.explanation).toContain('no way of counting')
  })
})

describe('embedding size', () => {
  it.each([
    [64, 87, 10],
    [128, 89, 12],
    [256, 93, 16],
    [768, 108, 31],
  ] as const)('E %d: %dM not shared, %dM all shared', (E, notShared, allShared) => {
    const apart = rowOf('embedding-size', `E ${E}, not shared`)
    const shared = rowOf('embedding-size', `E ${E}, all shared`)
    expect([apart.printed, shared.printed]).toEqual([[notShared], [allShared]])
    expect(Math.round(apart.computed.without / 1e6)).toBe(notShared)
    expect(Math.round(shared.computed.with / 1e6)).toBe(allShared)
    expect(apart.follows[0]).toContain('without')
    expect(apart.follows[0]).not.toContain('with')
    expect(shared.follows[0]).toContain('with')
  })
})

describe('sharing strategy', () => {
  it.each([
    [768, 'all shared', 31, 'with'],
    [768, 'attention shared', 83, 'with'],
    [768, 'FFN shared', 57, 'with'],
    [768, 'not shared', 108, 'without'],
    [128, 'all shared', 12, 'with'],
    [128, 'attention shared', 64, 'with'],
    [128, 'FFN shared', 38, 'with'],
    [128, 'not shared', 89, 'without'],
  ] as const)('E %d, %s: %dM', (E, words, printed, way) => {
    const row = rowOf('sharing', `E ${E}, ${words}`)
    expect(row.printed).toEqual([printed])
    expect(Math.round(row.computed[way] / 1e6)).toBe(printed)
    expect(row.follows[0]).toContain(way)
  })
})

describe('depth and width', () => {
  it.each([1, 3, 6, 12, 24, 48])('%d layers: 18M', (L) => {
    const row = rowsOf('depth').find((r) => r.label.startsWith(`${L} layer`))!
    expect(row.computed.with).toBe(17_683_968)
    expect(row.follows).toEqual([RELEASED_WITH])
  })

  it.each([
    [1024, 18, 'with'],
    [2048, 60, 'wideWith'],
    [4096, 225, 'wideWith'],
    [6144, 499, 'wideWith'],
  ] as const)('H %d: %dM', (H, printed, way) => {
    const row = rowOf('width', `H ${H}`)
    expect(row.printed).toEqual([printed])
    expect(Math.round(row.computed[way] / 1e6)).toBe(printed)
    expect(row.follows[0]).toContain(way)
  })

  it('the widths of xxlarge are those of its row at any depth', () => {
    expect(rowOf('width', 'H 4096').computed).toEqual(rowOf('sizes', 'ALBERT xxlarge').computed)
  })
})
