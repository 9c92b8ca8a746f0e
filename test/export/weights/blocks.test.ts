import fc from 'fast-check'
import { expect, it } from 'vitest'
import { BLOCK, blockEncoding, blocksOf, blockSink } from '../../../src/export/weights/blocks.js'
import { WeightStream } from '../../../src/export/weights/weight-stream.js'
import type { DType, TensorInfo, TensorSource } from '../../../src/formats/core/source.js'
import { dequantised } from '../../../src/formats/views/dequantised.js'
import { readFloats } from '../../../src/model/tensors/read.js'

/** Tensors in memory. */
function memory(
  tensors: readonly { name: string; dtype: DType; shape: readonly number[]; bytes: Uint8Array }[],
  metadata?: ReadonlyMap<string, string>,
): TensorSource {
  const found = new Map(tensors.map((tensor) => [tensor.name, tensor]))
  const info = (t: (typeof tensors)[number]): TensorInfo => ({ ...t, byteLength: t.bytes.length, file: 'memory' })
  return {
    format: 'onnx',
    files: [],
    notes: [],
    tensors: new Map(tensors.map((tensor) => [tensor.name, info(tensor)])),
    ...(metadata === undefined ? {} : { metadata }),
    read: (name, offset, target) => {
      target.set(found.get(name)!.bytes.subarray(offset, offset + target.length))
    },
    verifyChecksum: () => undefined,
    close: () => undefined,
  }
}

const bytesOf = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength)

/** Writes a kernel `[inputs, rows]` in blocks and reads it again. */
function throughBlocks(kernel: Float32Array, inputs: number, rows: number) {
  const shape = [inputs, rows]
  const parameter = { slot: 'k', variable: 'k', shape, storedShape: shape, layout: 'as_is', dtype: 'F32' } as const
  const source = memory([{ name: 'k', dtype: 'F32', shape, bytes: bytesOf(kernel) }])
  const stream = new WeightStream(source)
  const encoding = blockEncoding(stream, parameter, 1)
  const parts: Uint8Array[] = []
  const sink = blockSink(encoding, (bytes) => parts.push(bytes.slice()))
  // Pieces that end within a byte, and within a row.
  stream.stream(parameter, 'transposed', (bytes) => {
    for (let at = 0; at < bytes.length; at += 28) sink(bytes.slice(at, at + 28))
  })
  const bytes = Buffer.concat(parts)
  const perRow = blocksOf(inputs)
  const written = memory(
    [
      { name: 'k', dtype: 'U8', shape: [rows, perRow, BLOCK / 2], bytes },
      { name: 'k/block_scale', dtype: 'F32', shape: [rows, perRow], bytes: bytesOf(encoding.scales) },
    ],
    new Map([['blocks', JSON.stringify({ k: inputs })]]),
  )
  return { encoding, bytes, read: dequantised(written) }
}

it('give every value back within half a step, transposed, whatever the length of a row', () => {
  const shapes = fc.record({ inputs: fc.integer({ min: 1, max: 90 }), rows: fc.integer({ min: 1, max: 5 }) })
  fc.assert(
    fc.property(shapes, fc.noShrink(fc.integer()), ({ inputs, rows }, seed) => {
      const kernel = Float32Array.from({ length: inputs * rows }, (_, i) => Math.sin(seed + i * i) * 10 ** (i % 7))
      const { encoding, bytes, read } = throughBlocks(kernel, inputs, rows)
      expect(bytes).toHaveLength(rows * blocksOf(inputs) * (BLOCK / 2))
      const info = read.tensors.get('k')!
      expect(info).toMatchObject({ dtype: 'F32', shape: [rows, inputs] })
      const values = new Float32Array(rows * inputs)
      readFloats(read, 'k', 0, values)
      values.forEach((value, i) => {
        const [row, column] = [Math.floor(i / inputs), i % inputs]
        const step = Math.abs(encoding.scales[row * blocksOf(inputs) + Math.floor(column / BLOCK)]!)
        expect(info.stepAt!(i)).toBe(step)
        const exact = kernel[column * rows + row]!
        expect(Math.abs(value - exact)).toBeLessThanOrEqual(step * 0.501 + Math.abs(exact) * 1e-6)
      })
      // A part, which begins and ends within a row.
      const part = new Float32Array(Math.max(1, Math.floor(values.length / 2)))
      const from = Math.floor((values.length - part.length) / 2)
      readFloats(read, 'k', from, part)
      expect(part).toEqual(values.subarray(from, from + part.length))
    }),
  )
})

it('use all sixteen integers: the step is a seventeenth of the range, and zero stays zero', () => {
  const kernel = Float32Array.from({ length: BLOCK }, (_, i) => (i === 3 ? -8.5 : i % 16 === 0 ? 0 : 7.5 - (i % 16)))
  const { encoding, read } = throughBlocks(kernel, BLOCK, 1)
  expect([...encoding.scales]).toEqual([1])
  const negated = throughBlocks(
    kernel.map((value) => -value),
    BLOCK,
    1,
  )
  expect([...negated.encoding.scales]).toEqual([-1])
  const values = new Float32Array(BLOCK)
  readFloats(read, 'k', 0, values)
  expect([values[0], values[16], Math.min(...values), Math.max(...values)]).toEqual([0, 0, -8, 7])
  expect([...throughBlocks(new Float32Array(BLOCK), BLOCK, 1).encoding.scales]).toEqual([1])
})

it('are refused if their scales or rows do not fit', () => {
  const file = (shape: readonly number[], scales: number, inputs: number): TensorSource =>
    memory(
      [
        { name: 'k', dtype: 'U8', shape, bytes: new Uint8Array(shape.reduce((a, b) => a * b, 1)) },
        { name: 'k/block_scale', dtype: 'F32', shape: [scales], bytes: new Uint8Array(4 * scales) },
      ],
      new Map([['blocks', JSON.stringify({ k: inputs })]]),
    )
  expect(dequantised(file([2, 1, 16], 2, 20)).tensors.get('k')?.shape).toEqual([2, 20])
  for (const bad of [file([2, 1, 16], 3, 20), file([2, 1, 16], 2, 70), file([0], 0, 1e15), file([3, 5], 1, 32)])
    expect(() => dequantised(bad)).toThrow(/not in blocks of 32/)
  // What the metadata say of other tensors is nothing.
  expect(dequantised(memory([], new Map([['blocks', '[1']]))).tensors.size).toBe(0)
})
