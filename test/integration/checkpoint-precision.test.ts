import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { convertModel } from '../../src/api/convert/convert.js'
import type { ConvertOptions } from '../../src/api/convert/options.js'
import { diffModels } from '../../src/api/diff/diff.js'
import { openModel } from '../../src/api/open/open.js'
import { verifyModel } from '../../src/api/verify/verify.js'
import { writeRandomModel, type Kind, type Shape, SMALL } from '../helpers/random-model.js'
import { describeShared, SHARED, ZH_NEWS } from '../helpers/shared.js'
import { weightsOf } from '../helpers/weights.js'

/** safetensors in another element type than the source's. */

const folder = mkdtempSync(join(tmpdir(), 'albertkit-file-precision-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})
let made = 0
const fresh = (): string => join(folder, String(made++))

const SHAPE: Shape = { ...SMALL, layers: 3 }

async function randomModel(kind: Kind, shape: Partial<Shape> = {}): Promise<string> {
  const directory = fresh()
  await writeRandomModel(directory, kind, { ...SHAPE, ...shape }, 0.2)
  return directory
}

// What rounding does to the answers of random models is not asked here.
async function convert(source: string, options: Partial<ConvertOptions>) {
  const directory = fresh()
  const report = await convertModel(source, directory, { targets: ['safetensors'], minAgreement: 0, ...options })
  expect(report.ok).toBe(true)
  return { directory, report }
}

const configOf = (directory: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8')) as Record<string, unknown>

async function typesOf(directory: string): Promise<string[]> {
  const opened = await openModel(directory)
  opened.close()
  return [...new Set([...opened.source.tensors.values()].map(({ dtype }) => dtype))].sort()
}

/** Half of the distance of two neighbours, as a part of the number, and the least half of a distance. */
const ROUNDING = { f16: [2 ** -11, 2 ** -25], bf16: [2 ** -8, 0] } as const

const KINDS: [Kind | 'bundled', Partial<Shape>, ConvertOptions['targetArchitecture']][] = [
  ['google', {}, undefined],
  ['google', { embedding: 32 }, undefined],
  ['bert', {}, undefined],
  ['hf albert', { heads: ['mlm'], pooler: false }, undefined],
  ['zh', {}, 'bert'],
  ['google_fast', {}, 'albert'],
  ['bundled', {}, 'albert'],
]

describe.each(['f16', 'bf16'] as const)('safetensors in %s', (dtype) => {
  it.each(KINDS)('%s %j --as %s: the nearest values, the same model', async (kind, shape, as) => {
    const source = kind === 'bundled' ? ZH_NEWS : await randomModel(kind, shape)
    const form = as === undefined ? {} : { targetArchitecture: as }
    const full = await convert(source, { ...form, dtypes: ['f32'] })
    const { directory, report } = await convert(source, { ...form, dtypes: [dtype] })
    expect(await typesOf(full.directory)).toEqual(['F32'])
    expect(await typesOf(directory)).toEqual([dtype.toUpperCase()])
    expect(report.artefacts).toMatchObject([{ target: 'safetensors', dtype }])
    expect(report.artefacts[0]!.weightBytes! / full.report.artefacts[0]!.weightBytes!).toBe(0.5)
    expect(configOf(directory)).toMatchObject({ dtype: { f16: 'float16', bf16: 'bfloat16' }[dtype] })
    expect(configOf(full.directory).torch_dtype).toBe('float32')
    const [relative, least] = ROUNDING[dtype]
    const [wanted, given] = [await weightsOf(full.directory), await weightsOf(directory)]
    expect([...given.keys()]).toEqual([...wanted.keys()])
    let rounded = 0
    for (const [slot, values] of given) {
      values.forEach((value, i) => {
        const x = wanted.get(slot)![i]!
        if (value !== x) rounded++
        if (Math.abs(value - x) > Math.max(Math.abs(x) * relative, least)) expect(value, slot).toBe(x)
      })
    }
    expect(rounded).toBeGreaterThan(1000)
    const verified = await verifyModel(source, directory)
    expect(verified.ok).toBe(true)
    expect(verified.weights).toMatchObject([{ artefact: 'safetensors', dtype, ok: true }])
    expect(new Set(verified.comparisons.map((c) => c.dtype))).toEqual(new Set([dtype]))
    expect((await diffModels(full.directory, directory)).ok).toBe(false)
    expect((await diffModels(full.directory, directory, { atol: 0.02 })).ok).toBe(true)
  })

  it('a value that is not the nearest is seen', async () => {
    const source = await randomModel('google')
    const { directory } = await convert(source, { dtypes: [dtype] })
    const file = join(directory, 'model.safetensors')
    const bytes = readFileSync(file)
    // The least bit of the last value.
    bytes[bytes.length - 2] = bytes[bytes.length - 2]! ^ 1
    writeFileSync(file, bytes)
    const verified = await verifyModel(source, directory)
    expect(verified.ok).toBe(false)
    expect(verified.weights[0]!.differences).toMatchObject([{ reason: 'its bytes differ' }])
  })

  it('is a source like any other', async () => {
    const { directory } = await convert(await randomModel('google'), { dtypes: [dtype] })
    const again = await convert(directory, { targets: ['safetensors', 'onnx'] })
    expect(await typesOf(join(again.directory, 'model.safetensors'))).toEqual([dtype.toUpperCase()])
    expect(configOf(again.directory).dtype).toBe({ f16: 'float16', bf16: 'bfloat16' }[dtype])
    const wide = await convert(directory, { dtypes: ['f32'] })
    expect(await typesOf(wide.directory)).toEqual(['F32'])
    expect((await diffModels(directory, wide.directory)).ok).toBe(true)
  })
})

it('a tensor beyond the range of float16 stays float32, with a note', async () => {
  const source = fresh()
  await writeRandomModel(source, 'hf albert', { ...SHAPE, heads: ['mlm'], pooler: false }, 0.2)
  const file = join(source, 'model.safetensors')
  const bytes = readFileSync(file)
  bytes.writeFloatLE(70000, bytes.length - 4)
  writeFileSync(file, bytes)
  const half = await convert(source, { dtypes: ['f16'], minAgreement: 0 })
  expect(await typesOf(half.directory)).toEqual(['F16', 'F32'])
  expect(half.report.notes.join()).toMatch(/stays float32: it has values beyond 65504/)
  // Told float16, transformers would make the value infinite.
  expect(configOf(half.directory).dtype).toBe('float32')
  expect((await verifyModel(source, half.directory)).ok).toBe(true)
  const brain = await convert(source, { dtypes: ['bf16'], minAgreement: 0 })
  expect(await typesOf(brain.directory)).toEqual(['BF16'])
})

it('one directory: fields of the configuration for the safetensors file outlive another target', async () => {
  const source = await randomModel('google')
  const { directory } = await convert(source, { targets: ['safetensors', 'onnx'], dtypes: ['f16'] })
  await convertModel(source, directory, { targets: ['tfjs'], force: true })
  expect(configOf(directory)).toMatchObject({ dtype: 'float16', 'transformers.js_config': { dtype: 'fp16' } })
  expect((await verifyModel(source, directory)).ok).toBe(true)
  cpSync(directory, `${directory}-copy`, { recursive: true })
  await convertModel(source, `${directory}-copy`, { targets: ['safetensors'], force: true })
  expect(configOf(`${directory}-copy`).dtype).toBe('float32')
})

it('what there is not is refused, and a dry run knows the size', async () => {
  const source = await randomModel('google')
  const refuse = (options: ConvertOptions) =>
    expect(convertModel(source, join(folder, 'never'), options)).rejects.toMatchObject({ exitCode: 2 })
  await refuse({ targets: ['tf'], dtypes: ['f16'] })
  await refuse({ targets: ['safetensors'], dtypes: ['int8'] })
  await refuse({ targets: ['safetensors'], dtypes: ['f16', 'bf16'] })
  await refuse({ targets: ['onnx'], dtypes: ['bf16'] })
  const dry = (dtypes: ConvertOptions['dtypes']) =>
    convertModel(source, join(folder, 'never'), { targets: ['safetensors'], dryRun: true, ...(dtypes && { dtypes }) })
  const [full, half] = [await dry(undefined), await dry(['bf16'])]
  expect(half.artefacts[0]!.weightBytes! * 2).toBe(full.artefacts[0]!.weightBytes)
})

describeShared('halfs of transformers', () => {
  it.each(['albert_model_fp16', 'albert_model_bf16'])('%s widened', async (name) => {
    const source = join(SHARED, 'hf', name)
    const { directory } = await convert(source, { dtypes: ['f32'] })
    expect(await typesOf(directory)).toEqual(['F32'])
    expect((await diffModels(source, directory)).ok).toBe(true)
    expect((await verifyModel(source, directory)).ok).toBe(true)
  })
})
