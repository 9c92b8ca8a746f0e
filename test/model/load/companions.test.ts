import { describe, expect, it } from 'vitest'
import { skipCompanions } from '../../../src/model/load/companions.js'
import { identify } from '../../../src/model/names/identify.js'
import { modelShapes, namedSource, type Shapes } from '../../helpers/named-source.js'

const OWN = modelShapes('google-research ALBERT', { parts: ['classifier'] })
const REASON = 'state of an optimizer or an average: each weight has such a variable'
const noteOn = (suffixes: string): string =>
  `not read: ${suffixes}, which each weight has beside it: state of an optimizer, or averages`

/** Weights of the body are below `bert/`. */
const BODY = Object.keys(OWN).filter((name) => name.startsWith('bert/'))
const beside = (suffix: string, names: readonly string[]): Shapes =>
  Object.fromEntries(names.map((name) => [name + suffix, OWN[name]!]))

function skipped(more: Shapes) {
  const source = namedSource({ ...OWN, ...more })
  const before = identify(source)
  const { found, notes } = skipCompanions(source, before)
  return { before, found, notes }
}

describe('variables beside every weight', () => {
  it('are skipped, and what else is unknown stays so', () => {
    const own = beside('/LazyAdam', Object.keys(OWN))
    const { before, found, notes } = skipped({ ...own, 'bert/gate': [2, 2], LazyAdam: [], 'x/LazyAdam': [2] })
    expect(before.unknown).toHaveLength(Object.keys(own).length + 3)
    expect(found.unknown).toEqual(['bert/gate', 'LazyAdam', 'x/LazyAdam'])
    expect(found.skipped).toEqual([
      ...before.skipped,
      ...Object.keys(own).map((variable) => ({ variable, reason: REASON })),
    ])
    expect(found.mapped).toBe(before.mapped)
    expect(notes).toEqual([noteOn('*/LazyAdam')])
  })

  it('may be of several kinds, and need not stand beside the heads', () => {
    const { found, notes } = skipped({ ...beside('/Slow', BODY), ...beside('/Fast', BODY) })
    expect(found.unknown).toEqual([])
    expect(notes).toEqual([noteOn('*/Slow, */Fast')])
  })

  it.each<[string, Shapes]>([
    ['a weight of the body has none', beside('/Slow', BODY.slice(1))],
    ['one has another shape', { ...beside('/Slow', BODY), [`${BODY[0]!}/Slow`]: [3] }],
    ['they are not below the weights', beside('.slow', BODY)],
    ['they stand beside the heads alone', beside('/Slow', ['output_weights', 'output_bias'])],
  ])('stay unknown if %s', (_, more) => {
    const { before, found, notes } = skipped(more)
    expect(before.unknown).toEqual(Object.keys(more))
    expect(found).toBe(before)
    expect(notes).toEqual([])
  })

  it.each([
    [7, 0],
    [8, 1],
  ])('of %d weights give %d notes: a few may be alike by chance', (count, expected) => {
    const source = namedSource({ ...OWN, ...beside('/Slow', BODY) })
    const all = identify(source)
    const body = [...all.mapped].filter(([, { row }]) => row.prefixed)
    const { found, notes } = skipCompanions(source, { ...all, mapped: new Map(body.slice(0, count)) })
    expect(notes).toHaveLength(expected)
    expect(all.unknown.length - found.unknown.length).toBe(expected * count)
  })
})
