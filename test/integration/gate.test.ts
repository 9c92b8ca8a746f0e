import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { convertModel } from '../../src/api/convert/convert.js'
import type { ConvertOptions } from '../../src/api/convert/options.js'
import { disk } from '../../src/files/disk.js'
import { initModel } from '../../src/api/init/init.js'
import { readHeader } from '../../src/formats/safetensors/header.js'
import { RangedFile } from '../../src/formats/core/file.js'
import { convertText } from '../../src/report/text/convert.js'
import { albertkit } from '../helpers/run.js'
import { writeRandomModel, SMALL } from '../helpers/random-model.js'
import { describeShared, SHARED, ZH_NEWS } from '../helpers/shared.js'

/** The gate: whether rounding the weights does harm, asked on text. */

const folder = mkdtempSync(join(tmpdir(), 'albertkit-gate-'))
const at = (name: string): string => join(folder, name)
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})
let made = 0
const fresh = (): string => at(String(made++))

const convert = (source: string, options: Partial<ConvertOptions>, directory = fresh()) =>
  convertModel(source, directory, { targets: ['onnx'], dtypes: ['int8'], ...options })

interface Manifest {
  artefacts: Record<string, { gate?: Record<string, unknown> }>
}

describe('labelled lines', () => {
  it.each<[string, Partial<ConvertOptions>, string]>([
    ['ONNX int8', { dtypes: ['int8'] }, 'onnx-int8'],
    ['tfjs uint8', { targets: ['tfjs'], dtypes: ['uint8'] }, 'tfjs'],
    ['safetensors bf16', { targets: ['safetensors'], dtypes: ['bf16'], targetArchitecture: 'bert' }, 'safetensors'],
  ])('%s: accuracy before and after', async (_, options, key) => {
    const directory = fresh()
    const { ok, gate } = await convert(ZH_NEWS, { ...options, gateInputs: join(ZH_NEWS, 'test.tsv') }, directory)
    expect(ok).toBe(true)
    expect(gate).toMatchObject([{ artefact: key, inputs: 'file', rows: 150 }])
    const { accuracy, agreement, outputs } = gate[0]!
    // What the genuine code reached, as the fixture's README has it.
    expect([accuracy?.lines, accuracy?.skipped, accuracy?.before]).toEqual([150, 0, 0.88])
    expect(Math.abs(accuracy!.after - accuracy!.before) * 150).toBeLessThanOrEqual(1.0001)
    expect(agreement).toBeGreaterThanOrEqual(0.99)
    expect(outputs.find(({ output }) => output === 'last_hidden_state')).toMatchObject({
      agreement: null,
      cosine: expect.closeTo(1, 3) as number,
    })
    const manifest = JSON.parse(readFileSync(join(directory, 'albertkit.json'), 'utf8')) as Manifest
    expect(manifest.artefacts[key]?.gate).toEqual(gate[0])
  })

  it('lines without a label that the model knows are left out, and counted', async () => {
    writeFileSync(at('header.tsv'), 'label\ttext\n体育\t国足今晚迎战对手\nnothing\t房价上涨\n财经\t央行降息\n')
    const { gate } = await convert(ZH_NEWS, { dtypes: ['f16'], gateInputs: at('header.tsv'), verify: true })
    expect(gate[0]).toMatchObject({ rows: 2, accuracy: { lines: 2, skipped: 2 } })
  })

  it('lines of text alone have no accuracy', async () => {
    writeFileSync(at('plain.txt'), '国足今晚迎战对手\n房价上涨\n')
    const { gate } = await convert(ZH_NEWS, { dtypes: ['f16'], gateInputs: at('plain.txt') })
    expect(gate[0]).toMatchObject({ inputs: 'file', rows: 2, accuracy: null, agreement: 1 })
    const features = await convert(ZH_NEWS, { dtypes: ['f16'], gateInputs: join(ZH_NEWS, 'dev.tsv'), task: 'features' })
    expect(features.gate[0]).toMatchObject({ rows: 100, accuracy: null })
  })

  it('what cannot be judged on is refused', async () => {
    await writeRandomModel(at('bare'), 'google', { ...SMALL, heads: ['classifier'] })
    writeFileSync(at('foreign.tsv'), 'sport\tone\nmoney\ttwo\n')
    writeFileSync(at('empty.txt'), '')
    const refuse = (source: string, options: Partial<ConvertOptions>, message: RegExp) =>
      expect(convert(source, options, at('never'))).rejects.toMatchObject({
        exitCode: 2,
        message: expect.stringMatching(message) as string,
      })
    const gate = join(ZH_NEWS, 'dev.tsv')
    await refuse(at('bare'), { gateInputs: gate }, /no vocabulary/)
    await refuse(ZH_NEWS, { gateInputs: at('foreign.tsv') }, /no line has a label/)
    await refuse(ZH_NEWS, { gateInputs: at('empty.txt') }, /no line of text/)
    await refuse(ZH_NEWS, { gateInputs: at('absent.tsv') }, /cannot be read/)
    await refuse(ZH_NEWS, { gateInputs: gate, dtypes: ['f32'] }, /other than f32/)
    await refuse(ZH_NEWS, { gateInputs: gate, minAgreement: 0 }, /switched off/)
    await refuse(ZH_NEWS, { gateInputs: gate, verify: false }, /switched off/)
    expect(existsSync(at('never'))).toBe(false)
    // A model without a vocabulary is asked about drawn tokens.
    const { gate: drawn } = await convert(at('bare'), { dtypes: ['f16'] })
    expect(drawn[0]).toMatchObject({ inputs: 'vocabulary', rows: 300 })
  })
})

it('what is refused by a hair is not written as if it were the threshold', async () => {
  const options = { dtypes: ['int8'], task: 'features', minAgreement: 1 } as const
  const report = await convert(ZH_NEWS, options)
  expect(report.ok).toBe(false)
  const near = { ...report.gate[0]!, agreement: 0.9999962, rows: 1, inputs: 'file' } as const
  expect(convertText({ ...report, gate: [near] })).toMatch(/1 line: agreement 0\.999996: below 1, REFUSED/)
})

describe('built-in sentences', () => {
  it('of the languages of the vocabulary, masked for a masked-token model', async () => {
    const { gate } = await convert(ZH_NEWS, { dtypes: ['f16', 'int8'], task: 'mlm' })
    for (const each of gate) {
      expect(each).toMatchObject({ ok: true, inputs: 'text', rows: 240, accuracy: null })
      const tokens = each.outputs.find(({ output }) => output === 'prediction_logits')
      expect(tokens?.agreement).toBe(each.agreement)
      expect(tokens?.agreement).toBeGreaterThanOrEqual(0.99)
    }
  })

  it('no gate if it is switched off', async () => {
    expect((await convert(ZH_NEWS, { minAgreement: 0 })).gate).toEqual([])
    expect((await convert(ZH_NEWS, { verify: false })).gate).toEqual([])
  })
})

describe('quantisation that does harm', () => {
  const config = {
    vocab_size: 300,
    embedding_size: 16,
    hidden_size: 64,
    num_hidden_layers: 2,
    num_hidden_groups: 1,
    inner_group_num: 1,
    num_attention_heads: 4,
    intermediate_size: 128,
    hidden_act: 'gelu',
    max_position_embeddings: 48,
    type_vocab_size: 2,
    net_structure_type: 0,
  }
  beforeAll(async () => {
    writeFileSync(at('config.json'), JSON.stringify(config))
    await initModel(at('config.json'), at('outliers'), { task: 'classify', labels: 5, target: 'safetensors' })
    // The first channel of whatever was normalised is zero, so that what it is multiplied with does not matter: there
    // stand weights so large that all others of their output channel are rounded away.
    const file = new RangedFile(disk, at('outliers/model.safetensors'))
    const bytes = readFileSync(file.path)
    const set = (offset: number, count: number, value: (i: number) => number): void => {
      for (let i = 0; i < count; i++) bytes.writeFloatLE(value(i), offset + 4 * i)
    }
    let seed = 1
    const noise = (): number => ((seed = (seed * 48271) % 2147483647) / 2147483647 - 0.5) * 0.8
    for (const { name, shape, offset } of readHeader(file).entries.values()) {
      const [rows = 1, columns = 1] = shape
      if (name.toLowerCase().includes('layer_norm') || name.includes('LayerNorm'))
        set(offset, rows, (i) => (i === 0 || name.endsWith('bias') ? 0 : 1))
      else if (shape.length === 1) set(offset, rows, () => 0)
      else {
        const ruined = /query|key|value|\.ffn\.|pooler|mapping/.test(name)
        set(offset, rows * columns, (i) => (ruined && i % columns === 0 ? 300 : noise()))
      }
    }
    file.close()
    writeFileSync(at('outliers/model.safetensors'), bytes)
  })

  it.each<[string, Partial<ConvertOptions>]>([
    ['ONNX int8', { dtypes: ['int8'] }],
    ['tfjs uint8', { targets: ['tfjs'], dtypes: ['uint8'] }],
  ])('%s is refused: nothing is written', async (_, options) => {
    const directory = at(`refused-${options.dtypes![0]!}`)
    const report = await convert(at('outliers'), options, directory)
    expect(report.ok).toBe(false)
    expect(report.gate).toMatchObject([{ ok: false, inputs: 'text', spared: [] }])
    expect(report.gate[0]!.agreement).toBeLessThan(0.99)
    expect(report.verification).toBeNull()
    expect(existsSync(directory)).toBe(false)
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([])
    // Harmless precisions of the same model pass, and a user who insists gets the refused one.
    expect((await convert(at('outliers'), { ...options, dtypes: ['f16'] })).ok).toBe(true)
    expect((await convert(at('outliers'), { ...options, minAgreement: 0 })).ok).toBe(true)
  })

  it('the exit code is 1, with --force too', async () => {
    const args = ['convert', at('outliers'), '--to', 'onnx', '--dtype', 'int8', '-o', at('cli')]
    const refused = await albertkit([...args, '--json'])
    expect(refused.code).toBe(1)
    expect(JSON.parse(refused.stdout)).toMatchObject({ ok: false, gate: [{ ok: false }] })
    expect(existsSync(at('cli'))).toBe(false)
    const forced = await albertkit([...args, '--force'])
    expect(forced.code).toBe(1)
    expect(forced.stdout).toMatch(/below 0\.99, REFUSED/)
    expect(forced.stdout).toMatch(/nothing was written/)
    expect(forced.stdout).toMatch(/^hint: .*--gate FILE; .*--weights-only; .*--dtype f16; .*--min-agreement N$/m)
    expect(existsSync(at('cli'))).toBe(false)
    expect((await albertkit([...args, '--min-agreement', '0'])).code).toBe(0)
  })
})

describeShared('a SentencePiece vocabulary', () => {
  it('is tried on English', async () => {
    const config = {
      vocab_size: 960,
      embedding_size: 16,
      hidden_size: 32,
      num_hidden_layers: 2,
      num_hidden_groups: 1,
      inner_group_num: 1,
      num_attention_heads: 4,
      intermediate_size: 64,
      hidden_act: 'gelu',
      max_position_embeddings: 64,
      type_vocab_size: 2,
      net_structure_type: 0,
    }
    writeFileSync(at('spiece.json'), JSON.stringify(config))
    await initModel(at('spiece.json'), at('spiece'), { task: 'features' })
    rmSync(at('spiece/vocab.txt'))
    copyFileSync(join(SHARED, 'text/spiece.model'), at('spiece/spiece.model'))
    const { gate, ok } = await convert(at('spiece'), {})
    expect(ok).toBe(true)
    expect(gate[0]).toMatchObject({ inputs: 'text', rows: 240 })
  })
})
