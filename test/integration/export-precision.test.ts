import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { exportModel } from '../../src/export/export.js'
import type { ExportOptions } from '../../src/export/options.js'
import { disk } from '../../src/files/disk.js'
import { toBfloat16, toHalf } from '../../src/model/tensors/half.js'
import { dequantised } from '../../src/formats/views/dequantised.js'
import { onnxGraphNames, openOnnxWeights } from '../../src/formats/onnx/source.js'
import { openTfliteWeights, tfliteHead } from '../../src/formats/tflite/source.js'
import { artefactForm } from '../../src/model/names/artefact-names.js'
import { openTfjsWeights } from '../../src/formats/tfjs/source.js'
import { decodeFloats } from '../../src/model/tensors/decode.js'
import { resolveTask } from '../../src/model/outputs.js'
import { headsFor, type Task } from '../../src/model/tasks.js'
import { rebind } from '../../src/model/tensors/rebind.js'
import type { DynamicWeights } from '../../src/model/reference/reference-dynamic.js'
import { runReference } from '../../src/model/reference/run.js'
import { parametersOf } from '../../src/model/tensors/read.js'
import { compareWeights } from '../../src/compare/weights.js'
import { hasLiteRt, runLiteRt, runOnnx, runTfjs, someInputs, type Results } from '../helpers/run-artefact.js'
import { tinyModel, type TinyOptions } from '../helpers/tiny-model.js'

const scratch = mkdtempSync(join(tmpdir(), 'albertkit-precision-'))
afterAll(() => {
  rmSync(scratch, { recursive: true })
})

/** Largest difference, as a part of the largest value. */
function worst(results: Results, wanted: ReturnType<typeof runReference>): number {
  let [difference, largest] = [0, 1]
  expect(results.size).toBeGreaterThan(0)
  for (const [name, { dims, data }] of results) {
    const reference = wanted.get(name)
    expect([...dims], name).toEqual(reference?.shape)
    data.forEach((x, i) => {
      expect(x).not.toBeNaN()
      difference = Math.max(difference, Math.abs(x - reference!.data[i]!))
      largest = Math.max(largest, Math.abs(x))
    })
  }
  return difference / largest
}

const FILES = { f32: 'model.onnx', f16: 'model_fp16.onnx', int8: 'model_int8.onnx', int4: 'model_q4.onnx' } as const

/** What the metadata of a file say of products with quantised factors. */
const dynamicOf = (said: ReadonlyMap<string, string>): DynamicWeights => ({
  axes: new Map(Object.entries(JSON.parse(said.get('dynamic') ?? '{}') as Record<string, 0 | 1>)),
  by: said.get('activations') === 'rows' ? 'row' : 'tensor',
})

const CASES: [name: string, options: TinyOptions, task: Task, only?: 'int4'][] = [
  ['google, tied decoder', { family: 'google' }, 'pretraining'],
  ['zh, factor used both ways', { family: 'zh' }, 'pretraining'],
  ['zh, pre-LN', { family: 'zh', norm: 'pre' }, 'classify'],
  ['hf, [out, in], erf', { family: 'hf', layout: 'transposed', activation: 'gelu_erf' }, 'pretraining'],
  ['half source', { family: 'bert', dtype: 'F16' }, 'mlm'],
  // Rows of at least a block, which int4 needs: padded ones, and a table of whole blocks.
  ['google, padded blocks', { family: 'google', hidden: 40 }, 'pretraining', 'int4'],
  ['zh, padded blocks', { family: 'zh', hidden: 40 }, 'pretraining', 'int4'],
  ['hf, padded blocks', { family: 'hf', layout: 'transposed', hidden: 40 }, 'pretraining', 'int4'],
  ['bert, table of blocks', { family: 'bert', hidden: 64 }, 'mlm', 'int4'],
]

describe.each(CASES)('%s', (name, options, task, only) => {
  const { model, source } = tinyModel(options)
  const heads = headsFor(resolveTask(model, task))
  const inputs = [someInputs(1, 7, 37), someInputs(3, 20, 37)]
  const parameters = [...parametersOf(model)].filter(({ slot }) => !/^(classifier|mlm|sop)\//.test(slot))

  const FORMS: [form: string, file: keyof typeof FILES, more: Partial<ExportOptions>, bound: number][] = [
    ['f16', 'f16', { precision: 'f16' }, 1e-5],
    ['f16, computed with', 'f16', { precision: 'f16', halfCompute: true }, 1e-2],
    ['f16, opset 23', 'f16', { precision: 'f16', opset: 23, halfCompute: true }, 1e-2],
    ['int8, weights alone', 'int8', { precision: 'int8', precisionOptions: { weightsOnly: true } }, 1e-5],
    ['int8', 'int8', { precision: 'int8' }, 5e-3],
    ['int8, embeddings kept', 'int8', { precision: 'int8', precisionOptions: { keepEmbeddings: true } }, 5e-3],
    ['int4', 'int4', { precision: 'int4' }, 1e-5],
    ['int4, embeddings kept', 'int4', { precision: 'int4', precisionOptions: { keepEmbeddings: true } }, 1e-5],
  ]
  it.each(FORMS.filter(([, file]) => only === undefined || file === only))(
    'ONNX %s computes what its own weights give',
    async (kind, file, more, bound) => {
      const dir = join(scratch, `${name}-${kind}`.replaceAll(/\W+/g, '-'))
      await exportModel(model, source, 'onnx', dir, { task, allOutputs: true, ...more })
      const path = join(dir, 'onnx', FILES[file])
      const weights = dequantised(openOnnxWeights(disk, path))
      const said = onnxGraphNames(disk, path).metadata
      const dynamic = dynamicOf(said)
      expect(said.get('dtype')).toBe(file)
      expect(dynamic.axes.size > 0).toBe(file === 'int8' && more.precisionOptions?.weightsOnly !== true)
      const form = artefactForm(weights, 'stored')
      const written = rebind(model, weights, form)
      for (const each of inputs) {
        const wanted = runReference(written, weights, each, heads, dynamic)
        expect(worst(await runOnnx(dir, each, FILES[file]), wanted), kind).toBeLessThan(bound)
      }
      expect(compareWeights(source, weights, parameters, { lossy: true, form }).differences).toEqual([])
      if (options.dtype !== 'F16')
        expect(compareWeights(source, weights, parameters, { form }).differences.length).toBeGreaterThan(0)
      weights.close()
    },
  )

  const LITE: [form: string, more: Partial<ExportOptions>, bound: number][] = [
    ['f16', { precision: 'f16' }, 1e-5],
    ['int8', { precision: 'int8' }, 5e-3],
    ['int8, weights alone', { precision: 'int8', precisionOptions: { weightsOnly: true } }, 1e-5],
    ['int8, embeddings kept', { precision: 'int8', precisionOptions: { keepEmbeddings: true } }, 5e-3],
    ['int4', { precision: 'int4' }, 5e-3],
    ['int4, weights alone', { precision: 'int4', precisionOptions: { weightsOnly: true } }, 1e-5],
    ['int8, inside the flat buffer', { precision: 'int8', inline: true }, 5e-3],
  ]
  it.skipIf(!hasLiteRt).each(only === undefined ? LITE : [])(
    'TensorFlow Lite %s computes what its own weights give',
    async (form, more, bound) => {
      const dir = join(scratch, `${name}-lite-${form}`.replaceAll(/\W+/g, '-'))
      const given = { task, allOutputs: true, sequence: 20, ...more } as const
      const { files } = await exportModel(model, source, 'tflite', dir, given)
      const path = join(dir, files[0]!.path)
      const weights = openTfliteWeights(disk, path)
      const { metadata } = tfliteHead(disk, path)
      const lay = artefactForm(weights, 'named')
      const written = rebind(model, weights, lay)
      const each = someInputs(3, 20, 37)
      const wanted = runReference(written, weights, each, heads, dynamicOf(metadata))
      expect(worst(await runLiteRt(path, each), wanted), form).toBeLessThan(bound)
      expect(compareWeights(source, weights, parameters, { lossy: true, form: lay }).differences).toEqual([])
      if (options.dtype !== 'F16')
        expect(compareWeights(source, weights, parameters, { form: lay }).differences.length).toBeGreaterThan(0)
      weights.close()
    },
  )

  it.each(['f16', 'uint16', 'uint8'] as const)('tfjs %s computes what its own weights give', async (precision) => {
    const dir = join(scratch, `${name}-tfjs-${precision}`.replaceAll(/\W+/g, '-'))
    await exportModel(model, source, 'tfjs', dir, { task, allOutputs: true, precision })
    const weights = openTfjsWeights(disk, join(dir, 'tfjs', 'model.json'))
    const written = rebind(model, weights, 'logical')
    for (const each of inputs) {
      const wanted = runReference(written, weights, each, heads)
      expect(worst(await runTfjs(dir, each, 'wasm'), wanted)).toBeLessThan(1e-5)
    }
    expect(compareWeights(source, weights, parameters, { lossy: true }).differences).toEqual([])
    weights.close()
  })
})

it('a weight too large for a half stays float32, and the sum of a batch stays finite in fp16', async () => {
  const { model, source } = tinyModel({ family: 'hf' })
  const { kernel } = model.layers[0]![0]!.intermediate
  const huge = new Float32Array(1).fill(70000)
  const bytes = new Uint8Array(source.tensors.get(kernel.variable)!.byteLength)
  source.read(kernel.variable, 0, bytes)
  bytes.set(new Uint8Array(huge.buffer), 0)
  source.set(kernel.variable, 'F32', kernel.storedShape, bytes)
  for (const halfCompute of [false, true]) {
    const dir = join(scratch, `huge-${halfCompute}`)
    await exportModel(model, source, 'onnx', dir, {
      task: 'features',
      allOutputs: false,
      precision: 'f16',
      halfCompute,
    })
    const weights = openOnnxWeights(disk, join(dir, 'onnx/model_fp16.onnx'))
    expect(weights.tensors.get(kernel.slot)?.dtype).toBe('F32')
    weights.close()
    const results = await runOnnx(dir, someInputs(3, 20, 37), 'model_fp16.onnx')
    for (const { data } of results.values()) expect(data.every(Number.isFinite)).toBe(true)
  }
})

it('sizes: f16 is half, int8 a quarter and its scales, int4 less', async () => {
  const { model, source } = tinyModel({ family: 'google', hidden: 128, vocabulary: 2000 })
  const size = async (precision: 'f32' | 'f16' | 'int8' | 'int4'): Promise<number> =>
    (
      await exportModel(model, source, 'onnx', join(scratch, `size-${precision}`), {
        task: 'features',
        allOutputs: false,
        precision,
      })
    ).weightBytes
  const full = await size('f32')
  expect((await size('f16')) / full).toBe(0.5)
  expect((await size('int8')) / full).toBeLessThan(0.28)
  expect((await size('int4')) / full).toBeLessThan(0.2)
})

it('external data: one file of weights, read back and run', async () => {
  const { model, source } = tinyModel({ family: 'hf', layout: 'transposed', hidden: 64 })
  const plain = join(scratch, 'plain')
  const external = join(scratch, 'external')
  const options = { task: 'pretraining', allOutputs: false } as const
  await exportModel(model, source, 'onnx', plain, options)
  const { files } = await exportModel(model, source, 'onnx', external, { ...options, externalData: true })
  expect(files.map(({ path }) => path)).toEqual(['onnx/model.onnx', 'onnx/model.onnx_data'])
  for (const { path, bytes } of files) expect(statSync(join(external, path)).size).toBe(bytes)
  const inputs = someInputs(2, 9, 37)
  const [a, b] = [await runOnnx(plain, inputs), await runOnnx(external, inputs)]
  for (const [name, { data }] of a) expect(b.get(name)!.data).toEqual(data)
  const weights = openOnnxWeights(disk, join(external, 'onnx/model.onnx'))
  expect(weights.files).toHaveLength(2)
  const parameters = [...parametersOf(model)].filter(({ slot }) => !slot.startsWith('classifier/'))
  expect(compareWeights(source, weights, parameters).differences).toEqual([])
  weights.close()
  const text = readFileSync(join(external, 'onnx/model.onnx'), 'latin1')
  expect(text).toContain('model.onnx_data')
  expect(text).not.toContain(external)
})

describe('halfs', () => {
  const decode = (dtype: 'F16' | 'BF16', halfs: Uint16Array): Float32Array => {
    const values = new Float32Array(halfs.length)
    decodeFloats(dtype, new Uint8Array(halfs.buffer), values)
    return values
  }
  it.each([
    ['F16', toHalf],
    ['BF16', toBfloat16],
  ] as const)('every %s comes back as it was', (dtype, encode) => {
    const all = Uint16Array.from({ length: 65536 }, (_, i) => i)
    const back = new Uint16Array(65536)
    const values = decode(dtype, all)
    encode(values, back)
    for (let i = 0; i < 65536; i++) if (!Number.isNaN(values[i])) expect(back[i]).toBe(i)
  })

  it.each([
    ['F16', toHalf],
    ['BF16', toBfloat16],
  ] as const)('%s is the nearest one, halves to even', (dtype, encode) => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), (bits) => {
        const x = new Float32Array(Uint32Array.of(bits).buffer)
        fc.pre(Number.isFinite(x[0]))
        const half = new Uint16Array(1)
        encode(x, half)
        const near = decode(dtype, Uint16Array.of(half[0]!, half[0]! - 1, half[0]! + 1))
        const [h, ...others] = [...near].map((v) => Math.abs(v - x[0]!))
        if (!Number.isFinite(near[0]!)) return
        for (const [i, other] of others.entries())
          if (Number.isFinite(near[i + 1]) && Math.sign(near[i + 1]!) === Math.sign(near[0]!))
            expect(h! < other || (h === other && half[0]! % 2 === 0)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })
})
