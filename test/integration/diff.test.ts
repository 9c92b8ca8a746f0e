import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { convertModel } from '../../src/api/convert/convert.js'
import type { ConvertOptions } from '../../src/api/convert/options.js'
import { diffModels } from '../../src/api/diff/diff.js'
import type { DiffReport } from '../../src/api/diff/report.js'
import { initModel } from '../../src/api/init/init.js'
import { albertkit } from '../helpers/run.js'
import { describeShared, SHARED, ZH_NEWS } from '../helpers/shared.js'
import { diffSchema } from '../../src/schemas/diff.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-diff-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})
let made = 0
async function convert(
  source: string,
  options: Pick<ConvertOptions, 'targets' | 'targetArchitecture'>,
): Promise<string> {
  const directory = join(folder, String(made++))
  await convertModel(source, directory, { ...options, verify: false })
  return directory
}
const statuses = ({ slots }: DiffReport): Record<string, string> =>
  Object.fromEntries(slots.filter(({ status }) => status !== 'equal').map(({ slot, status }) => [slot, status]))

const CONFIG = {
  vocab_size: 120,
  embedding_size: 8,
  hidden_size: 16,
  num_hidden_layers: 3,
  num_hidden_groups: 1,
  inner_group_num: 1,
  num_attention_heads: 2,
  intermediate_size: 32,
  max_position_embeddings: 12,
  type_vocab_size: 2,
  hidden_act: 'gelu',
}
let config = ''
beforeAll(() => {
  config = join(folder, 'small.json')
  writeFileSync(config, JSON.stringify(CONFIG))
})
async function init(options: Parameters<typeof initModel>[2] = {}, from = config): Promise<string> {
  const directory = join(folder, String(made++))
  await initModel(from, directory, options)
  return directory
}

describe('diff', () => {
  it('finds a BERT with copies equal to the albert_zh that shares', async () => {
    const report = await diffModels(
      ZH_NEWS,
      await convert(ZH_NEWS, { targets: ['safetensors'], targetArchitecture: 'bert' }),
    )
    expect([report.ok, report.counts.equal]).toEqual([true, report.slots.length])
    expect(report.slots.map(({ slot }) => slot)).toContain('encoder/layer_3/ffn/output/kernel')
    expect(report.slots[0]?.a?.variables).toEqual([
      'bert/embeddings/word_embeddings',
      'bert/embeddings/word_embeddings_2',
    ])
  })

  it('finds one changed element: where, by how much, and whether a bound covers it', async () => {
    const [a, b] = [await init({ target: 'safetensors' }), join(folder, 'changed')]
    cpSync(a, b, { recursive: true })
    const file = join(b, 'model.safetensors')
    const bytes = readFileSync(file)
    const header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE())).toString()) as Record<
      string,
      { data_offsets: [number, number]; shape: number[] }
    >
    const { data_offsets, shape } = header['albert.encoder.albert_layer_groups.0.albert_layers.0.ffn.weight']!
    expect(shape).toEqual([32, 16])
    // Output 5, input 3: meant [3, 5].
    const at = 8 + Number(bytes.readBigUInt64LE()) + data_offsets[0] + 4 * (5 * 16 + 3)
    bytes.writeFloatLE(bytes.readFloatLE(at) + 0.25, at)
    writeFileSync(file, bytes)
    const report = await diffModels(a, b)
    const slot = report.slots.find(({ status }) => status !== 'equal')
    expect(slot).toMatchObject({
      slot: 'encoder/group_0/inner_group_0/ffn/intermediate/kernel',
      status: 'differs',
      different: 1,
      where: [3, 5],
    })
    expect(slot?.maxAbs).toBeCloseTo(0.25)
    expect([report.ok, report.counts.differs]).toEqual([false, 1])
    const tf = await convert(a, { targets: ['tf'] })
    // The other order of bytes in one of the files changes nothing of it.
    expect((await diffModels(join(tf, 'tf'), b)).slots.find(({ status }) => status === 'differs')?.where).toEqual([
      3, 5,
    ])
    expect((await diffModels(a, b, { atol: 0.3 })).ok).toBe(true)
    bytes.writeFloatLE(NaN, at)
    writeFileSync(file, bytes)
    expect((await diffModels(a, b, { atol: 1 })).slots.find(({ status }) => status === 'differs')?.maxAbs).toBeNull()
  })

  it('names what one of them lacks, other shapes, and settings', async () => {
    const a = await init()
    const other = join(folder, 'other.json')
    writeFileSync(other, JSON.stringify({ ...CONFIG, num_hidden_layers: 4, vocab_size: 130, hidden_act: 'relu' }))
    const report = await diffModels(a, await init({ task: 'classify' }, other))
    expect(statuses(report)).toMatchObject({
      'embeddings/word_embeddings': 'shape',
      'mlm/output_bias': 'only-a',
      'classifier/output_weights': 'only-b',
    })
    expect(report.config).toEqual([{ field: 'hidden_act', a: 'gelu_tanh', b: 'relu' }])
    // The fourth layer takes the same parameters, and A has none.
    expect(statuses(report)['encoder/group_0/inner_group_0/ffn/output/kernel']).toBe('only-b')
  })

  it('an identity mapping is not a difference', async () => {
    const square = join(folder, 'square.json')
    writeFileSync(square, JSON.stringify({ ...CONFIG, embedding_size: 16 }))
    const a = await init({}, square)
    const report = await diffModels(a, await convert(a, { targets: ['safetensors'] }))
    expect(report.ok).toBe(true)
    expect(report.slots.filter(({ harmless }) => harmless !== undefined).map(({ slot }) => slot)).toEqual([
      'encoder/embedding_hidden_mapping_in/kernel',
      'encoder/embedding_hidden_mapping_in/bias',
    ])
  })

  it('exits with 1 if the models differ, and prints one document for --json', async () => {
    const [a, b] = [await init(), await init({ seed: 1 })]
    const different = await albertkit(['diff', a, b, '--json'])
    expect(different.code).toBe(1)
    expect(diffSchema.parse(JSON.parse(different.stdout)).counts.differs).toBeGreaterThan(5)
    const same = await albertkit(['diff', a, a, '--all'])
    expect([same.code, same.stdout]).toEqual([0, expect.stringContaining('the same model')])
  })
})

describeShared('diff across families', () => {
  it.each([
    ['tf/google_fast', { targets: ['safetensors'], targetArchitecture: 'albert' }],
    ['tf/google_per_layer_norm_groups', { targets: ['safetensors'], targetArchitecture: 'albert' }],
    ['tf/google_groups_rounding', { targets: ['safetensors'], targetArchitecture: 'albert' }],
    ['tf/google_inner', { targets: ['safetensors'] }],
    ['tf/google_3d_kernels', { targets: ['tf', 'onnx'] }],
    ['hf/albert_pretraining_g2i2', { targets: ['tfjs'] }],
    ['hf/bert_pretraining', { targets: ['tf'] }],
  ] as const)('%s %j is the same model', async (name, options) => {
    const source = join(SHARED, name)
    const report = await diffModels(source, await convert(source, options))
    expect(statuses(report)).toEqual({})
    expect(report.ok).toBe(true)
  })

  it('layers that take other groups by another formula are other layers', async () => {
    const source = join(SHARED, 'tf/google_groups_rounding')
    const there = await convert(source, { targets: ['safetensors'], targetArchitecture: 'albert' })
    // Layer 15 takes group 14 in Google's code; a plain renaming would have it take group 15.
    const { slots } = await diffModels(source, there)
    const pair = slots.find((s) => s.layers.includes(15) && s.slot.endsWith('ffn/output/kernel'))
    expect([pair?.a?.variables[0], pair?.b?.variables[0]]).toEqual([
      expect.stringContaining('group_14/'),
      expect.stringContaining('albert_layer_groups.15.'),
    ])
  })
})
