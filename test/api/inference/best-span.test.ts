import { expect, it } from 'vitest'
import { bestSpan } from '../../../src/api/inference/qa/best-span.js'
import type { PassagePart } from '../../../src/text/data/examples.js'

const part = (first: number, at: number, count: number): PassagePart => ({
  question: { id: null, question: '', context: '', answers: null },
  tokens: [],
  window: { features: { input_ids: [], token_type_ids: [] }, at, first, count },
  isLast: true,
})

it('the best span begins before it ends, is not too long, and is within the passage', () => {
  // [CLS] q [SEP] a b c d [SEP]
  const starts = Float32Array.from([9, 9, 9, 1, 0, 5, 4, 9])
  const ends = Float32Array.from([9, 9, 9, 0, 6, 0, 3, 9])
  const found = bestSpan({ starts, ends }, part(10, 3, 4), 30)!
  expect([found.first, found.last, found.logit]).toEqual([12, 13, 8])
  const sum = (row: Float32Array) => [0, 3, 4, 5, 6].reduce((total, i) => total + Math.exp(row[i]!), 0)
  expect(found.probability).toBeCloseTo((Math.exp(5) / sum(starts)) * (Math.exp(3) / sum(ends)), 12)
  const short = bestSpan({ starts, ends }, part(10, 3, 4), 1)!
  expect([short.first, short.last]).toEqual([13, 13])
  expect(bestSpan({ starts, ends }, part(0, 3, 0), 30)).toBeNull()
})
