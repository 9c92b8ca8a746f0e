import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { convertModel } from '../../src/api/convert/convert.js'
import type { ConvertOptions } from '../../src/api/convert/options.js'
import { initModel } from '../../src/api/init/init.js'
import { openModel } from '../../src/api/open/open.js'
import { verifyModel } from '../../src/api/verify/verify.js'
import type { AlbertkitError } from '../../src/base/errors.js'
import { describeShared, goldensIn, SHARED, ZH_NEWS } from '../helpers/shared.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-files-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})
let made = 0
async function convert(source: string, options: Partial<ConvertOptions>): Promise<string> {
  const directory = join(folder, String(made++))
  const report = await convertModel(source, directory, { targets: ['safetensors'], ...options })
  expect(report.ok).toBe(true)
  return directory
}
const refusal = (source: string, options: Partial<ConvertOptions>): Promise<AlbertkitError> =>
  convertModel(source, join(folder, 'never'), { targets: ['safetensors'], ...options }).then(
    () => {
      throw new Error('not refused')
    },
    (error: unknown) => error as AlbertkitError,
  )
const shared = (name: string): string => join(SHARED, name)
const read = (path: string): Record<string, unknown> =>
  JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>

describe('an albert_zh model', () => {
  it('cannot become a Hugging Face ALBERT, and the message gives advice', async () => {
    const error = await refusal(ZH_NEWS, {})
    expect([error.exitCode, error.hint]).toEqual([4, expect.stringContaining('`targetArchitecture` bert')])
    expect(error.place.tensor).toBe('bert/embeddings/word_embeddings_2')
  })

  it.each(['bert', 'albert'] as const)('--as %s has the outputs of the golden', async (as) => {
    const directory = await convert(ZH_NEWS, { targetArchitecture: as })
    const report = await verifyModel(ZH_NEWS, directory, { golden: join(ZH_NEWS, 'golden.safetensors'), atol: 1e-5 })
    expect(report.comparisons.filter((c) => c.runner === 'reference(safetensors)').length).toBeGreaterThan(5)
    expect(report.ok).toBe(true)
    expect(read(join(directory, 'config.json'))).toMatchObject({ model_type: as, hidden_act: 'gelu_new' })
  })

  it('reports how much larger the plain BERT is', async () => {
    const { growth } = await convertModel(ZH_NEWS, join(folder, 'never'), {
      targets: ['safetensors'],
      targetArchitecture: 'bert',
      dryRun: true,
    })
    expect(growth?.parameters).toEqual([524688, 1373712])
    expect(growth?.ratio).toBeCloseTo(1373712 / 524688)
  })

  it('becomes a checkpoint with its own names and configuration', async () => {
    const directory = await convert(ZH_NEWS, { targets: ['tf'] })
    const opened = await openModel(join(directory, 'tf'))
    expect([...opened.source.tensors.keys()]).toContain('bert/encoder/layer_shared/attention/self/query/kernel')
    expect(opened.config).toMatchObject({ family: 'zh', hidden_act: 'gelu_tanh', norm_position: 'post' })
    opened.close()
    expect(readFileSync(join(directory, 'tf/checkpoint'), 'utf8')).toContain('model_checkpoint_path: "model.ckpt"')
  })

  it('a multiplied-out form is the only artefact of its folder', async () => {
    expect((await refusal(ZH_NEWS, { targetArchitecture: 'bert', targets: ['safetensors', 'onnx'] })).exitCode).toBe(2)
    expect((await refusal(ZH_NEWS, { targetArchitecture: 'bert', targets: ['tf'] })).exitCode).toBe(2)
    const directory = await convert(ZH_NEWS, { targets: ['tf'] })
    const error = await convertModel(ZH_NEWS, directory, {
      targets: ['safetensors'],
      targetArchitecture: 'bert',
      force: true,
    }).then(
      () => null,
      (e: unknown) => e as AlbertkitError,
    )
    expect(error?.exitCode).toBe(5)
  })

  it('verification finds one flipped bit', async () => {
    const directory = await convert(ZH_NEWS, { targetArchitecture: 'bert' })
    const file = join(directory, 'model.safetensors')
    const bytes = readFileSync(file)
    bytes[bytes.length - 1]! ^= 1
    writeFileSync(file, bytes)
    const report = await verifyModel(ZH_NEWS, directory)
    expect([report.ok, report.weights[0]?.differences.length]).toEqual([false, 1])
  })
})

describeShared('other families', () => {
  it.each([
    ['tf/zh_preln_all', {}, /pre-LN/],
    ['tf/zh_preln_all', { targetArchitecture: 'bert' }, /pre-LN/],
    ['tf/google_groups_rounding', {}, /layer 15 takes group 14 here and group 15/],
    ['tf/google_base_like', { targetArchitecture: 'bert' }, /normalised at width 16/],
    ['hf/albert_model_e_eq_h', { targets: ['tf'] }, /no identity/],
    ['hf/albert_model_e_eq_h', { targetArchitecture: 'bert' }, /no identity/],
    ['tf/google_per_layer_norm', {}, /LayerNorms of its own/],
    ['tf/google_fast', {}, /16 groups/],
  ] as const)('%s %j is refused with the reason', async (name, options, words) => {
    const error = await refusal(shared(name), options)
    expect(error.exitCode).toBe(4)
    expect(error.message).toMatch(words)
    expect(error.hint).toBeDefined()
  })

  it.each([
    ['tf/google_base_like', 'AlbertForPreTraining', 'gelu_new'],
    ['tf/google_classifier', 'AlbertForSequenceClassification', 'gelu_new'],
    ['tf/google_relu', 'AlbertForPreTraining', 'relu'],
    ['tf/bert', 'BertForPreTraining', 'gelu_new'],
    ['hf/albert_mlm_gelu', 'AlbertForMaskedLM', 'gelu'],
    ['hf/albert_model', 'AlbertModel', 'gelu_new'],
  ])('%s becomes %s', async (name, architecture, hidden_act) => {
    const directory = await convert(shared(name), {})
    expect(read(join(directory, 'config.json'))).toMatchObject({ architectures: [architecture], hidden_act })
  })

  it('E == H: the identity that is added is dropped again', async () => {
    const directory = await convert(shared('tf/google_same_width'), {})
    const there = await openModel(directory)
    expect(there.model.embeddings.mapping?.kernel.shape).toEqual([32, 32])
    there.close()
    const back = await convert(directory, { targets: ['tf'] })
    const opened = await openModel(join(back, 'tf'))
    expect(opened.model.embeddings.mapping).toBeNull()
    opened.close()
    expect((await verifyModel(shared('tf/google_same_width'), back)).ok).toBe(true)
  })

  it.each(['tf/google_fast', 'tf/google_per_layer_norm'])(
    '%s --as albert is a plain ALBERT of the same outputs',
    async (name) => {
      const directory = await convert(shared(name), { targetArchitecture: 'albert' })
      const report = await verifyModel(shared(name), directory, { golden: goldensIn(shared(name))[0]!, atol: 1e-5 })
      expect(report.comparisons.filter((c) => c.runner === 'reference(safetensors)').length).toBeGreaterThan(3)
      expect(report.ok).toBe(true)
    },
  )

  it('--as albert keeps groups that transformers forms as well, and says what transformers 4 cannot run', async () => {
    const kept = await convert(shared('tf/google_groups'), { targetArchitecture: 'albert' })
    const { num_hidden_groups } = read(join(shared('tf/google_groups'), 'albert_config.json'))
    expect(read(join(kept, 'config.json'))).toMatchObject({ num_hidden_groups, inner_group_num: 1 })
    // One layer of two inner layers: a group of more inner layers than layers take it.
    const config = join(folder, 'inner.json')
    writeFileSync(
      config,
      JSON.stringify({
        ...read(join(shared('tf/google_groups'), 'albert_config.json')),
        num_hidden_layers: 1,
        num_hidden_groups: 1,
        inner_group_num: 2,
      }),
    )
    await initModel(config, join(folder, 'inner'))
    const plain = await convertModel(join(folder, 'inner'), join(folder, 'never'), {
      targets: ['safetensors'],
      dryRun: true,
    })
    expect(plain.notes.join()).toContain('transformers 4')
    const flat = await convert(join(folder, 'inner'), { targetArchitecture: 'albert' })
    expect(read(join(flat, 'config.json'))).toMatchObject({
      num_hidden_layers: 2,
      num_hidden_groups: 2,
      inner_group_num: 1,
    })
  })

  it('groups that disagree are written as groups of their own by --as albert', async () => {
    const directory = await convert(shared('tf/google_groups_rounding'), { targetArchitecture: 'albert' })
    expect(read(join(directory, 'config.json'))).toMatchObject({ num_hidden_groups: 22 })
  })

  it('a model of transformers with erf-GELU keeps it on the way to TensorFlow and back', async () => {
    const directory = await convert(shared('hf/bert_pretraining'), { targets: ['tf'] })
    expect(read(join(directory, 'tf/bert_config.json')).hidden_act).toBe('gelu_python')
    const back = await convert(join(directory, 'tf'), {})
    expect(read(join(back, 'config.json')).hidden_act).toBe('gelu')
  })

  it('half precision stays what it is', async () => {
    const directory = await convert(shared('hf/albert_model_fp16'), { targets: ['safetensors', 'tf'] })
    for (const path of [directory, join(directory, 'tf')]) {
      const opened = await openModel(path)
      expect(new Set([...opened.source.tensors.values()].map((t) => t.dtype))).toEqual(new Set(['F16']))
      opened.close()
    }
  })

  it('--task limits graphs alone', async () => {
    cpSync(shared('tf/google_base_like'), join(folder, 'source'), { recursive: true })
    const directory = await convert(join(folder, 'source'), { targets: ['safetensors', 'onnx'], task: 'features' })
    const opened = await openModel(join(directory, 'model.safetensors'))
    expect(opened.model.mlm).not.toBeNull()
    opened.close()
  })
})
