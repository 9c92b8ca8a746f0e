import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { exportModel } from '../../../src/export/export.js'
import type { ExportOptions } from '../../../src/export/options.js'
import { disk } from '../../../src/files/disk.js'
import { readAll } from '../../../src/formats/core/source.js'
import { headOf } from '../../../src/formats/tflite/head.js'
import { openTfliteWeights, tfliteGraphNames, tfliteLength } from '../../../src/formats/tflite/source.js'
import { Builder, ByteBuffer, tflite } from '../../../src/proto/tflite.js'
import { fuzz } from '../../helpers/fuzz.js'
import { tinyModel } from '../../helpers/tiny-model.js'

const scratch = mkdtempSync(join(tmpdir(), 'albertkit-tflite-'))
afterAll(() => {
  rmSync(scratch, { recursive: true })
})
let made = 0

/** Writes a small model; returns the path of the file. */
async function write(options: Partial<ExportOptions> = {}): Promise<string> {
  const { model, source } = tinyModel({ family: 'zh' })
  const dir = join(scratch, String(made++))
  const given = { task: 'features', allOutputs: false, sequence: 8, ...options } as const
  const { files } = await exportModel(model, source, 'tflite', dir, given)
  return join(dir, files[0]!.path)
}

it.each(['f32', 'f16', 'int8', 'int4'] as const)(
  '%s damaged in any way is read or is a typed error, in time',
  async (precision) => {
    for (const inline of [false, true]) {
      const file = await write({ precision, inline })
      await fuzz(file, readFileSync(file), { header: 30_000, runs: 80 })
    }
  },
)

it('gives parts of integers as floats, at any offset', async () => {
  for (const precision of ['int8', 'int4'] as const) {
    const source = openTfliteWeights(disk, await write({ precision }))
    const { name, byteLength } = source.tensors.get('encoder/shared/ffn/intermediate/kernel')!
    const whole = readAll(source, name)
    expect(new Set(new Float32Array(whole.buffer)).size).toBeGreaterThan(8)
    for (const [offset, length] of [
      [0, 4],
      [3, 9],
      [6, 1],
      [8, byteLength - 8],
      [byteLength - 5, 5],
    ] as const) {
      const part = new Uint8Array(length)
      source.read(name, offset, part)
      expect(part).toEqual(whole.slice(offset, offset + length))
    }
    source.close()
  }
})

it('names inputs, values and outputs, and the length of rows', async () => {
  const file = await write()
  const { inputs, outputs } = headOf(file, readFileSync(file))
  expect([...inputs.keys()]).toEqual(['input_ids', 'attention_mask', 'token_type_ids'])
  expect([...outputs].map(([name, { dims }]) => [name, dims])).toEqual([
    ['last_hidden_state', [1, 8, 24]],
    ['pooler_output', [1, 24]],
  ])
  expect(tfliteLength(disk, file)).toBe(8)
  expect(tfliteLength(disk, await write({ sequence: 'dynamic' }))).toBeNull()
  const { values } = tfliteGraphNames(disk, file)
  expect(values).toContain('hidden_state_0')
  expect(values).not.toContain('input_ids')
  expect(values).not.toContain('pooler/dense/kernel')
})

it('every constant and weight begins at a multiple of 64 bytes, and each is there once', async () => {
  for (const inline of [false, true]) {
    const file = await write({ inline })
    const { tensors } = headOf(file, readFileSync(file))
    const ranges = tensors.flatMap(({ bytes }) => (bytes === null ? [] : [bytes]))
    expect(ranges.length).toBeGreaterThan(20)
    for (const { offset } of ranges) expect(offset % 64).toBe(0)
    expect(new Set(ranges.map(({ offset }) => offset)).size).toBe(ranges.length)
  }
})

/** A file with one table changed. */
function changed(file: string, change: (buffer: ByteBuffer, model: tflite.Model) => void): string {
  const bytes = new Uint8Array(readFileSync(file))
  const buffer = new ByteBuffer(bytes)
  change(buffer, tflite.Model.getRootAsModel(buffer))
  const path = join(scratch, `changed-${made++}.tflite`)
  writeFileSync(path, bytes)
  return path
}

it.each<[string, string, (buffer: ByteBuffer, model: tflite.Model) => void]>([
  [
    'a buffer behind the end of the file',
    'file-truncated',
    (buffer, model) => {
      const table = model.buffers(model.buffersLength() - 2)!.bb_pos
      buffer.writeUint64(table + buffer.__offset(table, 6), 1n << 40n)
    },
  ],
  [
    'a buffer that is shorter than its tensor',
    'range-invalid',
    (buffer, model) => {
      const table = model.buffers(model.buffersLength() - 2)!.bb_pos
      buffer.writeUint64(table + buffer.__offset(table, 8), 4n)
    },
  ],
  [
    'a list of four thousand million tensors',
    'limit-exceeded',
    (buffer, model) => {
      const table = model.subgraphs(0)!.bb_pos
      const field = table + buffer.__offset(table, 4)
      buffer.writeUint32(field + buffer.readUint32(field), 0xffffffff)
    },
  ],
  [
    'a signature that names no tensor',
    'header-invalid',
    (buffer, model) => {
      const port = model.signatureDefs(0)!.inputs(1)!.bb_pos
      buffer.writeUint32(port + buffer.__offset(port, 6), 99_999)
    },
  ],
  [
    'more scales than the file has bytes',
    'file-truncated',
    (buffer, model) => {
      const graph = model.subgraphs(0)!
      const all = Array.from({ length: graph.tensorsLength() }, (_, i) => graph.tensors(i)!)
      const { bb_pos } = all.find((tensor) => tensor.quantization() !== null)!.quantization()!
      const field = bb_pos + buffer.__offset(bb_pos, 8)
      buffer.writeUint32(field + buffer.readUint32(field), 1 << 28)
    },
  ],
])('%s is an error that says where', async (_, code, change) => {
  const path = changed(await write({ precision: 'int8' }), change)
  expect(() => openTfliteWeights(disk, path)).toThrow(expect.objectContaining({ code, exitCode: 3 }) as Error)
})

it('a file of another program is not taken for ours, and one that is no flat buffer is named', () => {
  const builder = new Builder(64)
  tflite.Model.finishModelBuffer(builder, new tflite.ModelT(3, [], [new tflite.SubGraphT()]).pack(builder))
  const path = join(scratch, 'other.tflite')
  writeFileSync(path, builder.asUint8Array())
  const source = openTfliteWeights(disk, path)
  expect([source.tensors.size, source.metadata?.size]).toEqual([0, 0])
  source.close()
  writeFileSync(path, 'TFL2 or something else')
  expect(() => openTfliteWeights(disk, path)).toThrow(expect.objectContaining({ code: 'not-a-model' }) as Error)
})
