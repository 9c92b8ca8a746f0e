import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { AlbertkitError } from '../../../src/base/errors.js'
import { openModel } from '../../../src/api/open/open.js'
import { elementCount } from '../../../src/formats/core/source.js'
import { accountOf } from '../../../src/model/accounting/account.js'
import { forwardFlops } from '../../../src/model/accounting/cost.js'
import { flopsOf } from '../../../src/model/accounting/footprint.js'
import { evaluate, polynomial, showFormula } from '../../../src/model/accounting/formula.js'
import { ALL_HEADS } from '../../../src/model/tasks.js'
import { countParameters } from '../../../src/model/accounting/count.js'
import type { Dim } from '../../../src/model/names/row.js'
import { slotDifferences, slotOptionsOf, slotsIn, slotsOf } from '../../../src/model/accounting/slots.js'
import { describeShared, fixtures, SHARED, ZH_NEWS } from '../../helpers/shared.js'

/** True if the fixture opens; other tests cover containers that cannot be read. */
async function agrees(path: string): Promise<boolean> {
  const opened = await openModel(path).catch((error: unknown) => {
    if (error instanceof AlbertkitError) return null
    throw error
  })
  if (opened === null) return false
  try {
    const { model, source } = opened
    expect(slotDifferences(model), path).toEqual([])
    const options = slotOptionsOf(model)
    const slots = slotsOf(model.config, options)
    const counted = countParameters(model, source)
    const account = accountOf(slots)
    expect([account.stored, account.used]).toEqual([counted.stored, counted.used])
    expect(account.parts).toEqual(counted.parts)
    expect(accountOf(slotsIn(model))).toEqual(account)
    const whole = polynomial(slots)
    expect(evaluate(whole, model.config, options.labels)).toBe(counted.stored)
    const work = { batch: 3, sequence: 7, elementBytes: 4 }
    expect(flopsOf(model.config, slots, work).total).toBe(forwardFlops(model, ALL_HEADS, 3, 7))
  } finally {
    opened.close()
  }
  return true
}

describe('the slots of a configuration', () => {
  it('are those of the bundled model', async () => {
    expect(await agrees(ZH_NEWS)).toBe(true)
  })

  it('are found to differ if they do', async () => {
    const opened = await openModel(ZH_NEWS)
    const { model } = opened
    opened.close()
    const deeper = { ...model, config: { ...model.config, num_hidden_layers: model.config.num_hidden_layers + 1 } }
    expect(slotDifferences(deeper)[0]).toMatch(/used \d+ times, \d+ by configuration/)
    const wider = { ...model, config: { ...model.config, embedding_size: 1 } }
    expect(slotDifferences(wider).join()).toContain('word_embeddings is [')
    expect(slotDifferences({ ...model, pooler: null })).toEqual([])
    const { sop: _, ...rest } = model
    expect(slotDifferences({ ...rest, sop: null, mlm: null })).toEqual([])
  })
})

describeShared('the slots of every fixture that opens', () => {
  const folders = [
    ...fixtures('tf', 'fixture.json').map((name) => join(SHARED, 'tf', name)),
    ...fixtures('hf', 'fixture.json').map((name) => join(SHARED, 'hf', name)),
  ].filter((folder) => !/train_step|fmt_table_cases/.test(folder))
  let opened = 0

  it.each(folders)('%s', async (folder) => {
    if (await agrees(folder)) opened++
  })

  it('were many', () => {
    expect(opened).toBeGreaterThanOrEqual(33)
  })
})

describe('formulas', () => {
  const sum = (...dims: Dim[][]) => polynomial(dims.map((d) => ({ dims: d, groups: 1 })))

  it('read as people write them, highest degree first', () => {
    expect(showFormula(sum(['V', 'E'], ['E', 'H'], ['H'], ['H']))).toBe('V·E + E·H + 2·H')
    expect(showFormula(sum(['H', 'H'], ['H']))).toBe('H² + H')
    expect(showFormula(sum(['2', 'H'], ['2']))).toBe('2·H + 2')
    expect(showFormula(sum(['I', 'H']))).toBe('H·I')
    expect(showFormula(sum())).toBe('0')
    const grouped = { dims: ['H', 'I'], groups: 16 } as const
    expect(showFormula(polynomial([grouped]))).toBe('H·I/16')
    expect(showFormula(polynomial([grouped, grouped, grouped]))).toBe('3·H·I/16')
  })

  it('have the value of the count', async () => {
    const opened = await openModel(ZH_NEWS)
    const { model } = opened
    opened.close()
    for (const slot of slotsIn(model))
      expect(evaluate(polynomial([slot]), model.config, slotOptionsOf(model).labels)).toBe(elementCount(slot.shape))
  })
})
