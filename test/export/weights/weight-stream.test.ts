import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PIECE_BYTES, WeightStream } from '../../../src/export/weights/weight-stream.js'
import type { Parameter } from '../../../src/model/albert.js'
import { MemorySource } from '../../helpers/tiny-model.js'

/** A matrix `[rows, columns]` of distinct numbers, stored transposed. */
function matrix(rows: number, columns: number): { source: MemorySource; parameter: Parameter; values: Float32Array } {
  const values = Float32Array.from({ length: rows * columns }, (_, i) => i)
  const source = new MemorySource()
  source.set('w', 'F32', [rows, columns], new Uint8Array(values.buffer))
  const parameter: Parameter = {
    slot: 'w',
    variable: 'w',
    shape: [columns, rows],
    storedShape: [rows, columns],
    layout: 'transposed',
    dtype: 'F32',
  }
  return { source, parameter, values }
}

function collect(source: MemorySource, parameter: Parameter, as: 'stored' | 'logical'): Float32Array {
  const pieces: Buffer[] = []
  new WeightStream(source).stream(parameter, as, (bytes) => {
    expect(bytes.length).toBeLessThanOrEqual(PIECE_BYTES)
    pieces.push(Buffer.from(bytes))
  })
  const all = Buffer.concat(pieces)
  return new Float32Array(all.buffer.slice(all.byteOffset, all.byteOffset + all.length))
}

describe('streaming a matrix', () => {
  it('stored gives the bytes as they are, meant the transposed ones, for any size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 600 }), fc.integer({ min: 1, max: 90 }), (rows, columns) => {
        const { source, parameter, values } = matrix(rows, columns)
        expect(collect(source, parameter, 'stored')).toEqual(values)
        const meant = collect(source, parameter, 'logical')
        for (let r = 0; r < rows; r++)
          for (let c = 0; c < columns; c++)
            if (meant[c * rows + r] !== values[r * columns + c]) throw new Error(`at ${r}, ${c}`)
      }),
      { numRuns: 60 },
    )
  })

  it('of more than one stripe', () => {
    const [rows, columns] = [2048, 9001]
    const { source, parameter, values } = matrix(rows, columns)
    const meant = collect(source, parameter, 'logical')
    let wrong = 0
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < columns; c++) if (meant[c * rows + r] !== values[r * columns + c]) wrong++
    expect(wrong).toBe(0)
    expect(source.largestRead).toBeLessThan(4 * 1024 * 1024)
  })
})
