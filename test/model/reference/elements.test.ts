import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { elements, exp, plainElements, wasmElements } from '../../../src/model/reference/elements.js'
import { kernelModule } from '../../../scripts/build-kernel.js'

const folder = fileURLToPath(new URL('../../../src/model/reference/', import.meta.url))

/** The bits of float64 numbers, all NaN alike. */
const bits = (values: Float64Array): BigUint64Array =>
  new BigUint64Array(Float64Array.from(values, (x) => (Number.isNaN(x) ? NaN : x)).buffer)

const GELU = { linear: -2 * Math.sqrt(2 / Math.PI), cubic: -2 * Math.sqrt(2 / Math.PI) * 0.044715 }
const SWISH = { linear: -1, cubic: 0 }

describe('exp', () => {
  it('is within two units in the last place of the exponential', () => {
    for (let x = -708; x < 709; x += 0.0137) expect(Math.abs(exp(x) / Math.exp(x) - 1)).toBeLessThan(4.5e-16)
    for (let x = -1; x < 1; x += 1e-4) expect(Math.abs(exp(x) / Math.exp(x) - 1)).toBeLessThan(3.4e-16)
  })

  it.each([
    [0, 1],
    [-0, 1],
    [-709, 0],
    [-1e4, 0],
    [-Infinity, 0],
    [711, Infinity],
    [Infinity, Infinity],
    [NaN, NaN],
  ])('of %d is %d', (x, y) => {
    expect(exp(x)).toBe(y)
  })
})

describe('elements in WebAssembly', () => {
  const on = wasmElements()
  const special = [NaN, Infinity, -Infinity, 0, -0, 1e300, -1e300, 5e-324, 709.9, -708.1]
  const numbers = fc.array(fc.oneof(fc.double({ min: -800, max: 800 }), fc.constantFrom(...special)), { maxLength: 90 })

  it('are those of JavaScript, bit for bit', () => {
    fc.assert(
      fc.property(numbers, fc.integer({ min: 1, max: 9 }), (values, rows) => {
        const width = Math.floor(values.length / rows)
        const [x, y] = [
          Float64Array.from(values.slice(0, width * rows)),
          Float64Array.from(values.slice(0, width * rows)),
        ]
        if (width > 0)
          for (const [data, by] of [
            [x, on],
            [y, plainElements],
          ] as const)
            by.softmax(data, width)
        expect(bits(x)).toEqual(bits(y))
        const from = Float64Array.from(values)
        for (const curve of [GELU, SWISH]) {
          const [a, b] = [from.slice(), from.slice()]
          on.gate(from, a, curve)
          plainElements.gate(from, b, curve)
          expect(bits(a)).toEqual(bits(b))
        }
      }),
      { numRuns: 300 },
    )
  })

  // Several blocks, of which the last is not full; rows longer than a block.
  it.each([
    [700, 17],
    [130, 64],
    [3, 5001],
    [2, 70_000],
  ])('take %d rows of %d', (rows, width) => {
    const from = Float64Array.from({ length: rows * width }, (_, i) => Math.sin(i * 12.9898) * 10)
    const [x, y] = [from.slice(), from.slice()]
    on.softmax(x, width)
    plainElements.softmax(y, width)
    expect(bits(x)).toEqual(bits(y))
    on.gate(from, x, GELU)
    plainElements.gate(from, y, GELU)
    expect(bits(x)).toEqual(bits(y))
    expect(x[5]).toBeCloseTo(from[5]! / (1 + Math.exp(GELU.linear * from[5]! + GELU.cubic * from[5]! ** 3)), 14)
  })

  it('are those of elements.wat, and small', async () => {
    const written = readFileSync(`${folder}elements-bytes.ts`, 'utf8')
    expect(written).toBe(await kernelModule(readFileSync(`${folder}elements.wat`, 'utf8'), 'elements'))
    expect(written.length).toBeLessThan(5000)
  })

  it('are chosen, and those of JavaScript if it cannot be compiled', async () => {
    const { Module } = WebAssembly
    expect(elements()).not.toBe(plainElements)
    WebAssembly.Module = function refuse() {
      throw new EvalError('refused')
    } as unknown as typeof Module
    try {
      vi.resetModules()
      const fresh = await import('../../../src/model/reference/elements.js')
      expect(fresh.elements()).toBe(fresh.plainElements)
      expect(fresh.elements()).toBe(fresh.plainElements)
    } finally {
      WebAssembly.Module = Module
    }
  })
})
