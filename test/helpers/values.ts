import { expect } from 'vitest'
import type { NamedTensor } from '../../src/runtime/runner.js'

/** Expects numbers in the shape of `expected`, off by no more than `bound` of its largest value (of 1 at least). */
export function expectWithin({ shape, data }: NamedTensor, expected: NamedTensor, bound: number, output: string): void {
  expect(shape).toEqual(expected.shape)
  const scale = expected.data.reduce((most, x) => Math.max(most, Math.abs(x)), 1)
  const largest = data.reduce((most, x, i) => Math.max(most, Math.abs(x - expected.data[i]!)), 0)
  expect(data.every(Number.isFinite)).toBe(true)
  expect(largest / scale, output).toBeLessThanOrEqual(bound)
}
