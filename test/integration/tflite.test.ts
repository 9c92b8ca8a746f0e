import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { convertModel } from '../../src/api/convert/convert.js'
import { evaluateFile } from '../../src/api/inference/evaluate-file.js'
import { initModel } from '../../src/api/init/init.js'
import { openModel } from '../../src/api/open/open.js'
import { verifyModel } from '../../src/api/verify/verify.js'
import { exportModel } from '../../src/export/export.js'
import { drawInputs } from '../../src/compare/sample-inputs.js'
import { ALL_HEADS, headsFor } from '../../src/model/tasks.js'
import type { Tensor } from '../../src/model/reference/reference.js'
import { runReference } from '../../src/model/reference/run.js'
import { disk } from '../../src/files/disk.js'
import { RangedFile } from '../../src/formats/core/file.js'
import { readZipDirectory } from '../../src/formats/zip/directory.js'
import { ZipMember } from '../../src/formats/zip/member.js'
import { openRunner, type NamedTensor } from '../../src/runtime/runners.js'
import { CHROMIUM } from '../helpers/gpu.js'
import { hasLiteRt, runLiteRt, someInputs } from '../helpers/run-artefact.js'
import { fixtures, SHARED, ZH_NEWS } from '../helpers/shared.js'
import { tinyModel } from '../helpers/tiny-model.js'
import { expectWithin } from '../helpers/values.js'

/** TensorFlow Lite files of every family, run by LiteRT in Node and in Chromium. */

const scratch = mkdtempSync(join(tmpdir(), 'albertkit-lite-'))
afterAll(() => {
  rmSync(scratch, { recursive: true, force: true })
})

/** The reference's values as those of a runtime. */
const float32Of = ({ shape, data }: Tensor): NamedTensor => ({ shape, data: Float32Array.from(data) })

/** Folders that hold several checkpoints. */
const SEVERAL = ['fmt_tf2_objects', 'fmt_table_cases']

/** Every checkpoint beside the project that is one model. */
const CHECKPOINTS = [
  ...fixtures('tf', 'golden.safetensors')
    .filter((name) => !SEVERAL.includes(name))
    .map((name) => `tf/${name}`),
  ...fixtures('hf', 'config.json').map((name) => `hf/${name}`),
]

describe.skipIf(!hasLiteRt || CHECKPOINTS.length === 0)('every family', { timeout: 60_000 }, () => {
  it.each(CHECKPOINTS)('%s is within 1e-5, all weights bit for bit', async (name) => {
    const path = join(SHARED, name)
    const out = join(scratch, name)
    const { verification } = await convertModel(path, out, { targets: ['tflite'] })
    expect(verification?.comparisons.filter(({ ok }) => !ok)).toEqual([])
    expect(verification?.comparisons.every(({ runner }) => runner === 'litert')).toBe(true)
    expect(verification?.weights).toMatchObject([{ artefact: 'tflite', ok: true }])
    const golden = join(path, 'golden.safetensors')
    if (!existsSync(golden)) return
    const report = await verifyModel(path, out, { golden, runners: ['litert'] })
    expect(report.comparisons.filter(({ ok }) => !ok)).toEqual([])
    expect(report.comparisons.length).toBeGreaterThan(0)
  })
})

describe.skipIf(!hasLiteRt)('LiteRT in Node', { timeout: 60_000 }, () => {
  it('shows every layer and operation, and a wrong one by its name', async () => {
    const out = join(scratch, 'layers')
    await convertModel(ZH_NEWS, out, { targets: ['tflite'], verify: false })
    const report = await verifyModel(ZH_NEWS, out, { layers: true, bisect: true })
    expect(report.ok).toBe(true)
    expect(report.layers?.map(({ layer }) => layer)).toEqual([-1, 0, 1, 2, 3])
    expect(report.operations?.length).toBeGreaterThan(20)
    expect(report.operations?.every(({ ok, maxAbs }) => ok && maxAbs !== null)).toBe(true)
  })

  it('takes several choices, whatever number a run takes', async () => {
    const [name] = fixtures('hf', 'config.json').filter((one) => one.endsWith('_mc'))
    if (name === undefined) return
    const opened = await openModel(join(SHARED, 'hf', name))
    const heads = headsFor('multiple-choice')
    const inputs = { ...drawInputs(opened.model, 4, 9, 1), choices: 2 }
    const wanted = runReference(opened.model, opened.source, inputs, heads)
    for (const rows of [1, 3, 4]) {
      const dir = join(scratch, `choices-${rows}`)
      const options = { task: 'multiple-choice', allOutputs: false, sequence: 9, rows } as const
      const { files } = await exportModel(opened.model, opened.source, 'tflite', dir, options)
      const results = await runLiteRt(join(dir, files[0]!.path), inputs)
      expect(results.get('logits')?.dims).toEqual([2, 2])
      for (const [output, { dims: shape, data }] of results)
        expectWithin({ shape, data }, float32Of(wanted.get(output)!), 1e-5, output)
    }
    opened.close()
  })

  it('reads text with a file alone, and says what it does not take', async () => {
    const out = join(scratch, 'text')
    await convertModel(ZH_NEWS, out, { targets: ['tflite'], sequence: 48, verify: false })
    const job = (model: string, options = {}) =>
      evaluateFile({ model, input: join(ZH_NEWS, 'test.tsv'), format: 'tsv', ...options })
    const [ours, own] = [await job(out), await job(ZH_NEWS)]
    expect(ours.runner).toContain('@litertjs/core')
    expect(ours).toMatchObject({ accuracy: (own as { accuracy: number }).accuracy, lines: 150 })
    await expect(job(out, { maxSeqLength: 49 })).rejects.toMatchObject({ code: 'sequence-too-long' })
  })

  it('a file that nobody can run is refused by its name', async () => {
    const { model, source } = tinyModel({ family: 'bert' })
    const options = { task: 'features', allOutputs: false } as const
    await expect(exportModel(model, source, 'tflite', join(scratch, 'long'), { ...options, sequence: 4000 })).rejects
      .toMatchObject({ exitCode: 2, code: 'option-invalid' }) // prettier-ignore
    expect(existsSync(join(scratch, 'long', 'tflite'))).toBe(false)
    const globals = ['self', 'importScripts', 'ModuleFactory'].filter((name) => name in globalThis)
    await openRunner('litert', { file: join(ZH_NEWS, 'vocab.txt') }).catch(() => undefined)
    expect(['self', 'importScripts', 'ModuleFactory'].filter((name) => name in globalThis)).toEqual(globals)
  })
})

it('the same model and options give the same bytes, and nothing else lies in the folder', async () => {
  const { model, source } = tinyModel({ family: 'google' })
  const sizes: number[] = []
  for (const name of ['a', 'b']) {
    const dir = join(scratch, `same-${name}`)
    const { files } = await exportModel(model, source, 'tflite', dir, { task: 'features', allOutputs: false })
    expect(readdirSync(join(dir, 'tflite'))).toEqual(['model.tflite'])
    sizes.push(files[0]!.bytes)
  }
  expect(sizes[0]).toBe(sizes[1])
})

/** Files that are packed behind a model, by name. */
function packedIn(path: string): Readonly<Record<string, string>> {
  const file = new RangedFile(disk, path)
  try {
    return Object.fromEntries(
      readZipDirectory(file).map((entry) => {
        const bytes = new Uint8Array(entry.size)
        new ZipMember(file, entry, {}, true).read(0, bytes)
        return [entry.name, new TextDecoder().decode(bytes)]
      }),
    )
  } finally {
    file.close()
  }
}

it('packs class names and vocabulary behind the model, which stays a source', async () => {
  const out = join(scratch, 'packed')
  const text = (name: string): string => readFileSync(join(ZH_NEWS, name), 'utf8')
  const options = { targets: ['tflite:f32,int8'], sequence: 16, verify: false } as const
  const { artefacts } = await convertModel(ZH_NEWS, out, options)
  const files = artefacts.flatMap((artefact) => artefact.files)
  expect(files).toEqual(['tflite/model.tflite', 'tflite/model_int8.tflite'])
  for (const name of files) {
    const file = join(out, name)
    expect(packedIn(file)).toEqual({ 'labels.txt': text('labels.txt'), 'vocab.txt': text('vocab.txt') })
    const opened = await openModel(file)
    expect(opened.model.classifier).not.toBeNull()
    opened.close()
  }
})

it('packs the vocabulary of a tokenizer.json as lines, and none for the encoder alone', async () => {
  const source = join(scratch, 'json-source')
  await convertModel(ZH_NEWS, source, { targets: ['safetensors'], targetArchitecture: 'bert', verify: false })
  rmSync(join(source, 'vocab.txt'))
  const convert = async (task: 'classify' | 'features'): Promise<string> => {
    const out = join(scratch, `json-${task}`)
    await convertModel(source, out, { targets: ['tflite'], task, sequence: 16, verify: false })
    return join(out, 'tflite/model.tflite')
  }
  const { 'vocab.txt': lines, ...rest } = packedIn(await convert('classify'))
  expect(lines).toBe(readFileSync(join(ZH_NEWS, 'vocab.txt'), 'utf8'))
  expect(Object.keys(rest)).toEqual(['labels.txt'])
  const bare = await convert('features')
  expect(() => packedIn(bare)).toThrow(/its end is missing/)
})

/** Headlines of the bundled model's test that it reads rightly. */
const rightOnTest = async (model: string): Promise<number> => {
  const report = await evaluateFile({ model, input: join(ZH_NEWS, 'test.tsv'), format: 'tsv' })
  expect(report).toMatchObject({ lines: 150 })
  return Math.round((report as { accuracy: number }).accuracy * 150)
}

describe.skipIf(!hasLiteRt)('the bundled model', { timeout: 120_000 }, () => {
  const gateInputs = join(ZH_NEWS, 'test.tsv')

  it('reads as many headlines in every element type, give or take one', async () => {
    const out = join(scratch, 'accuracy')
    await convertModel(ZH_NEWS, out, { targets: ['tflite:f32,f16,int8'], sequence: 32, verify: false })
    const right = await rightOnTest(ZH_NEWS)
    for (const name of ['model', 'model_fp16', 'model_int8'])
      expect(Math.abs((await rightOnTest(join(out, `tflite/${name}.tflite`))) - right), name).toBeLessThanOrEqual(1)
  })

  it('reads in four bits as many headlines as the gate says', async () => {
    const out = join(scratch, 'int4')
    const options = { targets: ['tflite:int4'], sequence: 32, gateInputs, minAgreement: 0.95 } as const
    const { ok, gate } = await convertModel(ZH_NEWS, out, options)
    expect(ok).toBe(true)
    const [{ agreement, accuracy, spared }] = gate as [(typeof gate)[number]]
    expect(agreement).toBeGreaterThanOrEqual(0.95)
    expect(spared).toEqual([])
    expect(await rightOnTest(join(out, 'tflite/model_int4.tflite'))).toBe(Math.round(accuracy!.after * 150))
    expect(Math.abs(accuracy!.after - accuracy!.before)).toBeLessThan(0.05)
  })
})

it('an albert-tiny of 128 tokens is little more than its weights', { timeout: 60_000 }, async () => {
  const [source, out] = [join(scratch, 'tiny'), join(scratch, 'tiny-out')]
  await initModel('albert-tiny-zh', source, { verify: false })
  const options = { targets: ['tflite:f32,f16,int8,int4'], task: 'features', sequence: 128, verify: false } as const
  await convertModel(source, out, options)
  const bytes = (name: string): number => statSync(join(out, 'tflite', name)).size
  expect(bytes('model.tflite')).toBeLessThan(16.3e6)
  expect(bytes('model_fp16.tflite')).toBeLessThan(8.3e6)
  expect(bytes('model_int8.tflite')).toBeLessThan(4.6e6)
  expect(bytes('model_int4.tflite')).toBeLessThan(2.6e6)
})

describe.skipIf(CHROMIUM === null || !hasLiteRt)('in Chromium', { timeout: 120_000 }, () => {
  const { model, source } = tinyModel({ family: 'zh' })
  const inputs = someInputs(3, 12, 37)

  it.each([1, 4])('wasm and WebGPU, %d rows a run, in every element type', async (rows) => {
    const opened = await openModel(ZH_NEWS)
    const rowsOf = drawInputs(opened.model, 3, 17, 1)
    for (const precision of ['f32', 'f16', 'int8'] as const) {
      const dir = join(scratch, `chromium-${rows}-${precision}`)
      const options = { task: 'classify', allOutputs: false, sequence: 32, rows, precision } as const
      const { files } = await exportModel(opened.model, opened.source, 'tflite', dir, options)
      const file = join(dir, files[0]!.path)
      const expected = await runLiteRt(file, rowsOf)
      for (const name of ['browser-litert-wasm', 'browser-litert-webgpu']) {
        const runner = await openRunner(name, { file }, { allowSoftware: true })
        try {
          expect(runner.detail).toMatch(/^Chromium .*, @litertjs\/core \d/)
          expect(runner.adapter?.software).toBe(name.endsWith('webgpu') ? true : undefined)
          const values = await runner.run(rowsOf)
          // A GPU does not round the factors of integers.
          const bound = precision === 'int8' ? 5e-2 : 2e-5
          for (const [output, { dims: shape, data }] of expected)
            expectWithin(values.get(output)!, { shape, data }, bound, `${name} ${precision} ${output}`)
        } finally {
          await runner.close()
        }
      }
    }
    opened.close()
  })

  it('WebGPU takes odd widths, and says what to do if it takes a graph not at all', async () => {
    const write = async (precision: 'f32' | 'int4'): Promise<string> => {
      const dir = join(scratch, `chromium-odd-${precision}`)
      const options = { task: 'pretraining', allOutputs: false, sequence: 12, precision } as const
      const { files } = await exportModel(model, source, 'tflite', dir, options)
      return join(dir, files[0]!.path)
    }
    const open = (file: string) => openRunner('browser-litert-webgpu', { file }, { allowSoftware: true })
    const runner = await open(await write('f32'))
    try {
      const wanted = runReference(model, source, inputs, headsFor('pretraining'))
      for (const [output, value] of await runner.run(inputs))
        expectWithin(value, float32Of(wanted.get(output)!), 2e-5, output)
    } finally {
      await runner.close()
    }
    // Matrices in four and in eight bits in one graph.
    await expect(open(await write('int4'))).rejects.toMatchObject({
      code: 'artefact-rejected',
      message: expect.stringMatching(/it gives no reason/) as string,
      hint: expect.stringMatching(/browser-litert-wasm/) as string,
    })
  })

  it('inner values, and a file that leaves the length open', async () => {
    const dir = join(scratch, 'chromium-open')
    const options = { task: 'pretraining', allOutputs: true, sequence: 'dynamic' } as const
    const { files, marks } = await exportModel(model, source, 'tflite', dir, options)
    const values = { marks: Object.keys(marks), inner: {}, outputs: [] }
    const runner = await openRunner('browser-litert-wasm', { file: join(dir, files[0]!.path), values })
    try {
      const results = await runner.run(inputs, ['hidden_state_0', 'last_hidden_state'])
      const wanted = runReference(model, source, inputs, { ...ALL_HEADS, classifier: false, qa: false })
      expect([...results.keys()]).toEqual(['hidden_state_0', 'last_hidden_state'])
      for (const [output, value] of results) expectWithin(value, float32Of(wanted.get(output)!), 1e-5, output)
    } finally {
      await runner.close()
    }
  })
})
