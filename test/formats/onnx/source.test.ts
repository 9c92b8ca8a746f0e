import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import type { ErrorCode } from '../../../src/base/error-codes.js'
import { disk } from '../../../src/files/disk.js'
import { AlbertkitError } from '../../../src/base/errors.js'
import { onnxGraphNames, openOnnxWeights } from '../../../src/formats/onnx/source.js'
import { readAll } from '../../../src/formats/core/source.js'
import { create, onnx, toBinary, type MessageInitShape } from '../../../src/proto/onnx.js'

const out = mkdtempSync(join(tmpdir(), 'albertkit-onnx-'))
afterAll(() => {
  rmSync(out, { recursive: true, force: true })
})

type Tensor = MessageInitShape<typeof onnx.TensorProtoSchema>

const values = new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6).buffer)
const TENSOR: Tensor = { name: 'kernel', dataType: onnx.TensorProto_DataType.FLOAT, dims: [2n, 3n], rawData: values }

function modelBytes(tensor: Tensor): Uint8Array {
  const node = [{ opType: 'MatMul', input: ['x', 'kernel'], output: ['y'] }]
  const graph = { node, initializer: [tensor], output: [{ name: 'y' }] }
  const metadataProps = [{ key: 'made-by', value: 'a test' }]
  return toBinary(onnx.ModelProtoSchema, create(onnx.ModelProtoSchema, { graph, metadataProps }))
}

let count = 0
function file(bytes: Uint8Array): string {
  const path = join(out, `${count++}.onnx`)
  writeFileSync(path, bytes)
  return path
}

const location = (name: string): Tensor => ({
  name: 'kernel',
  dataType: onnx.TensorProto_DataType.FLOAT,
  dims: [2n, 3n],
  dataLocation: onnx.TensorProto_DataLocation.EXTERNAL,
  externalData: [{ key: 'location', value: name }],
})

describe('an ONNX file', () => {
  it('has initializers by name, names of values and metadata', () => {
    const path = file(modelBytes(TENSOR))
    const source = openOnnxWeights(disk, path)
    expect(source.tensors.get('kernel')).toMatchObject({ dtype: 'F32', shape: [2, 3], byteLength: 24 })
    expect(Buffer.compare(readAll(source, 'kernel'), values)).toBe(0)
    source.close()
    expect(onnxGraphNames(disk, path)).toEqual({
      values: ['y'],
      outputs: ['y'],
      metadata: new Map([['made-by', 'a test']]),
    })
  })

  it('has its weights in another file next to it', () => {
    writeFileSync(join(out, 'weights.bin'), values)
    const source = openOnnxWeights(disk, file(modelBytes(location('weights.bin'))))
    expect(Buffer.compare(readAll(source, 'kernel'), values)).toBe(0)
    source.close()
  })

  it.each<[string, Tensor, RegExp, ErrorCode]>([
    ['dimensions below zero', { ...TENSOR, dims: [-2n, -3n] }, /a dimension of -2/, 'value-invalid'],
    [
      'a dimension that no number holds',
      { ...TENSOR, dims: [0n, 2n ** 53n], rawData: new Uint8Array() },
      /a dimension of 9007199254740992/,
      'value-invalid',
    ],
    [
      'fewer bytes than its shape takes',
      { ...TENSOR, dims: [2n, 4n] },
      /kernel has 24 bytes, but its shape takes 32/,
      'range-invalid',
    ],
    ['weights outside its directory', location('../weights.bin'), /not a plain file name/, 'path-escapes'],
    ['weights in a file that is not there', location('nowhere.bin'), /no such file/, 'file-missing'],
  ])('with %s is refused', (_, tensor, message, code) => {
    const path = file(modelBytes(tensor))
    expect(() => openOnnxWeights(disk, path)).toThrow(message)
    expect(() => openOnnxWeights(disk, path)).toThrow(expect.objectContaining({ code }))
  })

  it('gives an AlbertkitError for damage in any byte', () => {
    const whole = modelBytes(TENSOR)
    const damage = fc.oneof(
      fc.record({ at: fc.nat(whole.length - 1), to: fc.nat(255) }),
      fc.record({ length: fc.nat(whole.length - 1) }),
    )
    const path = join(out, 'damaged.onnx')
    fc.assert(
      fc.property(damage, (how) => {
        const bytes = 'length' in how ? whole.slice(0, how.length) : whole.slice()
        if ('at' in how) bytes[how.at] = how.to
        writeFileSync(path, bytes)
        try {
          onnxGraphNames(disk, path)
          openOnnxWeights(disk, path).close()
        } catch (error) {
          expect(error).toBeInstanceOf(AlbertkitError)
        }
      }),
      { numRuns: 300 },
    )
  })
})
