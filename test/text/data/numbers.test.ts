import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { crossEntropy, float32Number, float32Text, softmax } from '../../../src/text/data/numbers.js'

it('a float32 is printed with the fewest digits that mean it', () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (any) => {
      // Zero has one sign in what is printed.
      const x = any + 0
      const printed = float32Number(x)
      expect(Math.fround(printed)).toBe(x)
      // Nothing shorter does: looked for one digit after the other.
      const fewest = [1, 2, 3, 4, 5, 6, 7, 8, 9].find((n) => Math.fround(Number(x.toPrecision(n))) === x)!
      expect(printed).toBe(Number(x.toPrecision(fewest)))
      expect(Math.fround(Number(float32Text(x)))).toBe(x)
    }),
    { numRuns: 2000 },
  )
  expect([0.1, 9.100546e-5, 1, 1e16].map((x) => float32Text(Math.fround(x)))).toEqual([
    '0.1',
    '9.100546e-05',
    '1.0',
    '1e+16',
  ])
})

it('NaN and infinities are printed as in NumPy', () => {
  expect([NaN, Infinity, -Infinity].map(float32Text)).toEqual(['nan', 'inf', '-inf'])
})

it('a row of logits may be as long as the largest vocabulary', () => {
  // LaBSE has 501,153 tokens: more than a call may have arguments.
  const logits = new Float32Array(501_153)
  logits[7] = 20
  const rest = logits.length - 1
  const sum = Math.exp(20) + rest
  expect(softmax(logits)[7]).toBeCloseTo(Math.exp(20) / sum, 9)
  expect(crossEntropy(logits, 7)).toBeCloseTo(Math.log(sum) - 20, 9)
})
