import { describe, expect, it } from 'vitest'
import type { Values } from '../../src/compare/compare.js'
import { Agreement } from '../../src/compare/agreement.js'

const inputs = {
  batch: 2,
  sequence: 1,
  input_ids: Int32Array.of(1, 2),
  attention_mask: Int32Array.of(1, 1),
  token_type_ids: Int32Array.of(0, 0),
}
const values = (shape: readonly number[], data: readonly number[]): Values => ({ shape, data: Float32Array.from(data) })
const outputs = (hidden: readonly number[], logits: readonly number[]): Map<string, Values> =>
  new Map([
    ['last_hidden_state', values([2, 1, hidden.length / 2], hidden)],
    ['logits', values([2, logits.length / 2], logits)],
  ])

function agreementOf(before: Map<string, Values>, after: Map<string, Values>): Agreement {
  const agreement = new Agreement()
  agreement.add(inputs, before, after)
  return agreement
}

describe('agreement of two runs', () => {
  it('counts equal answers', () => {
    const agreement = agreementOf(outputs([1, 2], [1, 2, 4, 3]), outputs([1, 2], [1, 2, 3, 4]))
    expect(agreement.worst()).toBe(0.5)
  })

  it('finds no answer in a row with NaN, at any index', () => {
    const agreement = agreementOf(outputs([1, 2], [2, 1, 4, 3]), outputs([1, 2], [NaN, NaN, NaN, NaN]))
    expect(agreement.worst()).toBe(0)
    expect(agreementOf(outputs([1, 2], [1, 2, 3, 4]), outputs([1, 2], [1, NaN, 3, 4])).worst()).toBe(0.5)
  })

  it('judges single values by how they vary', () => {
    const before = outputs([1, 2], [1, 2])
    expect(agreementOf(before, before).worst()).toBeCloseTo(1, 12)
    const wrong = agreementOf(before, outputs([1, 2], [2, -1]))
    expect(wrong.outputs()).toMatchObject([{}, { output: 'logits', agreement: null }])
    expect(wrong.worst()).toBe(0)
    expect(agreementOf(before, outputs([1, 2], [NaN, 1])).worst()).toBe(0)
    // The answers decide, as they do for classes.
    expect(agreementOf(before, outputs([2, -1], [1, 2])).worst()).toBe(1)
    // Σ(a − b)² = 0.02, Σ(a − mean)² = 0.5; the cosine is 0.9997.
    expect(agreementOf(outputs([1, 2], [10, 11]), outputs([1, 2], [10.1, 10.9])).worst()).toBeCloseTo(0.96, 6)
    expect(agreementOf(outputs([1, 2], [10, 11]), outputs([1, 2], [10.5, 10.5])).worst()).toBeCloseTo(0, 6)
    // One value in all, or equal ones.
    expect(agreementOf(outputs([1, 2], [10, 10]), outputs([1, 2], [10, 11])).worst()).toBeCloseTo(0.995, 6)
  })
})
