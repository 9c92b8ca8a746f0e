import { describe, expect, it } from 'vitest'
import type { CheckpointTarget } from '../../../src/base/artefact-layout.js'
import type { AlbertModel } from '../../../src/model/albert.js'
import { runReference, type ModelInputs, type Subject } from '../../../src/model/reference/run.js'
import { translate } from '../../../src/model/rewrite/translate.js'
import type { Architecture } from '../../../src/model/rewrite/translation.js'
import { ALL_HEADS } from '../../../src/model/tasks.js'
import { identityMatrix, zeros, type Fill } from '../../../src/model/tensors/derived.js'
import { builtFrom, memoryModel, valuesOf } from '../../helpers/memory-model.js'
import { SMALL, type Edit, type Kind, type Shape } from '../../helpers/random-model.js'
import { MemorySource } from '../../helpers/tiny-model.js'

const INPUTS: ModelInputs = {
  batch: 2,
  sequence: 3,
  input_ids: Int32Array.of(5, 30, 1, 17, 2, 0),
  attention_mask: Int32Array.of(1, 1, 1, 1, 1, 0),
  token_type_ids: Int32Array.of(0, 1, 1, 0, 0, 0),
}

/** Outputs that both families have under the same names and with the same meaning. */
function outputs({ model, source }: Subject): Record<string, { shape: readonly number[]; data: number[] }> {
  const values = runReference(model, source, INPUTS, ALL_HEADS)
  const names = [
    'last_hidden_state',
    'pooler_output',
    'prediction_logits',
    'sop_logits',
    'logits',
    'start_logits',
    'end_logits',
  ]
  return Object.fromEntries(
    names.flatMap((name) => {
      const found = values.get(name)
      return found === undefined ? [] : [[name, { shape: found.shape, data: [...found.data] }]]
    }),
  )
}
const close = (values: ReturnType<typeof outputs>): unknown =>
  JSON.parse(JSON.stringify(values), (_, x: unknown) =>
    typeof x === 'number' && !Number.isInteger(x) ? (expect.closeTo(x, 5) as unknown) : x,
  )

/** A mapping that changes nothing, in a model as wide as its embeddings. */
const identical: Edit = (slot, { noise }) => {
  if (!slot.startsWith('encoder/embedding_hidden_mapping_in/')) return noise
  return slot.endsWith('/bias') ? zeros : identityMatrix(32)
}
const EQUAL = { embedding: 32 } as const
const GROUPS = { layers: 4, groups: 2 } as const

type Case = readonly [
  kind: Kind,
  shape: Partial<Shape>,
  target: CheckpointTarget,
  form: Architecture | null,
  /** Fields of the configuration of the translated model. */
  expected: object,
  edit?: Edit,
]

const CASES: readonly Case[] = [
  ['zh', {}, 'tf', null, { family: 'zh' }],
  ['zh', { sharing: 'attention' }, 'tf', null, { family: 'zh' }],
  ['zh', { preNorm: true, heads: ['classifier'] }, 'tf', null, { norm_position: 'pre' }],
  ['zh', {}, 'safetensors', 'bert', { architecture: 'bert', embedding_size: 32, num_hidden_layers: 2 }],
  ['zh', { sharing: 'ffn' }, 'safetensors', 'bert', { num_hidden_groups: 1, inner_group_num: 1 }],
  ['zh', {}, 'safetensors', 'albert', { architecture: 'albert', embedding_size: 32, num_hidden_groups: 1 }],
  ['zh', { sharing: 'none', layers: 3 }, 'safetensors', 'albert', { num_hidden_groups: 3, num_hidden_layers: 3 }],
  ['google', {}, 'tf', null, { family: 'google', mask_penalty: -10000 }],
  ['google', {}, 'safetensors', null, { family: 'hf', mask_penalty: -3.4028234663852886e38, embedding_size: 16 }],
  ['google', { ...GROUPS, inner: 2 }, 'safetensors', null, { num_hidden_groups: 2, inner_group_num: 2 }],
  ['google', { ...EQUAL }, 'safetensors', null, { embedding_size: 32, hidden_size: 32 }],
  ['google', { ...EQUAL }, 'safetensors', 'bert', { architecture: 'bert' }],
  ['google', { ...EQUAL, inner: 2, layers: 2 }, 'safetensors', 'bert', { num_hidden_layers: 4, inner_group_num: 1 }],
  ['google', { heads: ['classifier'] }, 'safetensors', 'albert', { num_hidden_groups: 1, embedding_size: 16 }],
  ['google', { inner: 2, layers: 4 }, 'safetensors', 'albert', { num_hidden_layers: 4, inner_group_num: 2 }],
  // A group of two inner layers that is used once: transformers would not run it.
  ['google', { inner: 2, layers: 1 }, 'safetensors', 'albert', { num_hidden_layers: 2, num_hidden_groups: 2 }],
  ['google', { ...EQUAL, inner: 2 }, 'safetensors', 'albert', { embedding_size: 32 }],
  ['google_fast', {}, 'tf', null, { family: 'google_fast' }],
  ['google_fast', {}, 'safetensors', 'albert', { family: 'hf', num_hidden_groups: 1 }],
  ['google_fast', { ...EQUAL }, 'safetensors', 'bert', { architecture: 'bert' }],
  ['own norms', {}, 'tf', null, { family: 'google' }],
  ['own norms', { heads: ['qa'] }, 'safetensors', 'albert', { num_hidden_groups: 2, inner_group_num: 1 }],
  ['bert', {}, 'tf', null, { family: 'bert' }],
  ['bert', { heads: ['token-classifier'], pooler: false }, 'safetensors', null, { family: 'hf', architecture: 'bert' }],
  ['bert', { heads: [] }, 'safetensors', 'bert', { architecture: 'bert', num_hidden_layers: 2 }],
  ['bert', {}, 'safetensors', 'albert', { architecture: 'albert', num_hidden_groups: 2 }],
  ['hf albert', {}, 'tf', null, { family: 'google', mask_penalty: -10000 }],
  ['hf albert', { ...EQUAL }, 'tf', null, { family: 'google', embedding_size: 32 }, identical],
  ['hf albert', { heads: ['qa'], ...GROUPS }, 'safetensors', null, { num_hidden_groups: 2 }],
  ['hf albert', { heads: ['mlm'], untied: true }, 'safetensors', null, { architecture: 'albert' }],
  ['hf albert', { heads: ['mlm'], untied: true }, 'safetensors', 'albert', { architecture: 'albert' }],
  ['hf albert', { ...EQUAL }, 'safetensors', 'bert', { architecture: 'bert' }, identical],
  ['hf bert', {}, 'tf', null, { family: 'bert' }],
  ['hf bert', { heads: ['classifier'] }, 'safetensors', 'albert', { num_hidden_groups: 2, embedding_size: 32 }],
]

describe('a translated model computes the same', () => {
  it.each(CASES.map(([kind, shape, target, form, expected, edit]) => ({ kind, shape, target, form, expected, edit })))(
    '$kind $shape as $target, form $form',
    ({ kind, shape, target, form, expected, edit }) => {
      const subject = memoryModel(kind, { ...SMALL, ...shape }, edit)
      const plan = translate(subject.model, subject.source, target, form)
      expect(plan.config).toMatchObject(expected)
      expect([plan.form, plan.notes, plan.table.family]).toEqual([form, [], plan.config.family])
      const found = outputs(builtFrom(plan, subject.source))
      expect(found).toEqual(close(outputs(subject)))
      expect(Object.keys(found).length).toBeGreaterThan(shape.heads?.length === 0 ? 0 : 1)
      // Every tensor once, and no name twice.
      expect(new Set(plan.tensors.map(({ name }) => name)).size).toBe(plan.tensors.length)
      for (const { shape: stored, logicalShape, transposed } of plan.tensors)
        if (transposed) expect(stored).toEqual([...logicalShape].reverse())
    },
  )
})

describe('the plan', () => {
  const BERT = { ...SMALL, layers: 1 }
  it('has the names of transformers', () => {
    // list(transformers.BertForPreTraining(config).state_dict()), one layer
    const layer = [
      ...['query', 'key', 'value'].map((name) => `attention.self.${name}`),
      ...[
        'attention.output.dense',
        'attention.output.LayerNorm',
        'intermediate.dense',
        'output.dense',
        'output.LayerNorm',
      ],
    ].flatMap((name) => [`bert.encoder.layer.0.${name}.weight`, `bert.encoder.layer.0.${name}.bias`])
    const names = [
      ...['word', 'position', 'token_type'].map((name) => `bert.embeddings.${name}_embeddings.weight`),
      ...['bert.embeddings.LayerNorm.weight', 'bert.embeddings.LayerNorm.bias'],
      ...layer,
      ...['bert.pooler.dense', 'cls.predictions.transform.dense', 'cls.predictions.transform.LayerNorm'].flatMap(
        (name) => [`${name}.weight`, `${name}.bias`],
      ),
      ...['cls.predictions.bias', 'cls.seq_relationship.weight', 'cls.seq_relationship.bias'],
    ]
    const { model, source } = memoryModel('bert', BERT)
    const plan = translate(model, source, 'safetensors')
    expect(plan.tensors.map(({ name }) => name)).toEqual(names)
    expect(plan.tensors.find(({ name }) => name.endsWith('intermediate.dense.weight'))).toEqual({
      name: 'bert.encoder.layer.0.intermediate.dense.weight',
      slot: 'encoder/layer_0/ffn/intermediate/kernel',
      logicalShape: [32, 48],
      shape: [48, 32],
      transposed: true,
      dtype: 'F32',
      origin: { kind: 'parameter', parameter: model.layers[0]![0]!.intermediate.kernel },
    })
    // A model without heads is stored without the prefix.
    const bare = memoryModel('bert', { ...BERT, heads: [] })
    expect(translate(bare.model, bare.source, 'safetensors').tensors.map(({ name }) => name)).toEqual(
      names.filter((name) => name.startsWith('bert.')).map((name) => name.slice(5)),
    )
    expect(translate(bare.model, bare.source, 'tf').tensors[0]!.name).toBe('bert/embeddings/word_embeddings')
  })

  it('keeps the element type of the source, but not of what it computes', () => {
    const { model, source } = memoryModel('zh', SMALL)
    const half = {
      ...model,
      embeddings: { ...model.embeddings, position: { ...model.embeddings.position, dtype: 'BF16' as const } },
    }
    const types = new Map(
      translate(half, source, 'safetensors', 'bert').tensors.map(({ slot, dtype, origin }) => [
        slot,
        [dtype, origin.kind],
      ]),
    )
    expect(types.get('embeddings/position_embeddings')).toEqual(['BF16', 'parameter'])
    expect(types.get('embeddings/word_embeddings')).toEqual(['F32', 'computed'])
  })

  it('has a mapping where the code of the target has one', () => {
    const mapping = (kind: Kind, shape: Partial<Shape>, target: CheckpointTarget, form: Architecture | null = null) => {
      const { model, source } = memoryModel(kind, { ...SMALL, heads: [], ...shape }, identical)
      const { tensors } = translate(model, source, target, form)
      return tensors
        .filter(({ slot }) => slot.startsWith('encoder/embedding_hidden_mapping_in/'))
        .map((tensor) => [tensor.name, tensor.shape, [...valuesOf(tensor, source)].reduce((sum, x) => sum + x, 0)])
    }
    const none = [
      ['encoder.embedding_hidden_mapping_in.weight', [32, 32], 32],
      ['encoder.embedding_hidden_mapping_in.bias', [32], 0],
    ]
    // transformers' ALBERT always has one; Google's code only between two widths, BERT never.
    expect(mapping('google', EQUAL, 'safetensors')).toEqual(none)
    expect(mapping('google', EQUAL, 'safetensors', 'albert')).toEqual(none)
    expect(mapping('bert', {}, 'safetensors', 'albert')).toEqual(none)
    expect(mapping('zh', {}, 'safetensors', 'albert')).toEqual(none)
    expect(mapping('hf albert', EQUAL, 'safetensors', 'albert')).toEqual(none)
    expect(mapping('hf albert', EQUAL, 'tf')).toEqual([])
    expect(mapping('hf albert', EQUAL, 'safetensors', 'bert')).toEqual([])
    expect(mapping('bert', {}, 'safetensors')).toEqual([])
    expect(mapping('hf bert', {}, 'safetensors')).toEqual([])
    expect(mapping('google', {}, 'safetensors').map(([name]) => name)).toEqual(none.map(([name]) => name))
    expect(mapping('hf albert', {}, 'tf')).toHaveLength(2)
  })

  it('stores the bias of an untied decoder twice', () => {
    const { model, source } = memoryModel('hf albert', { ...SMALL, heads: ['mlm'], untied: true })
    const { tensors } = translate(model, source, 'safetensors')
    const biases = tensors.filter(({ origin }) => origin.kind === 'parameter' && origin.parameter === model.mlm!.bias)
    expect(biases.map(({ name }) => name)).toEqual(['predictions.bias', 'predictions.decoder.bias'])
  })

  it('of google_fast for TensorFlow has the groups last, from whatever order', () => {
    const { model, source } = memoryModel('google_fast', { ...SMALL, layers: 1 })
    const block = model.layers[0]![0]!
    const { kernel } = block.intermediate
    const of = (subject: AlbertModel, from: typeof source) => {
      const plan = translate(subject, from, 'tf')
      return { plan, tensor: plan.tensors.find(({ slot }) => slot === kernel.slot)! }
    }
    const usual = of(model, source).tensor
    expect(usual).toMatchObject({ logicalShape: [16, 2, 3], shape: [2, 3, 16], transposed: false, dtype: 'F32' })
    expect(usual.origin).toEqual({ kind: 'parameter', parameter: kernel })
    // A tfjs artefact has them first.
    const first = new MemorySource()
    for (const [name, { dtype, shape, byteLength }] of source.tensors) {
      const bytes = new Uint8Array(byteLength)
      source.read(name, 0, bytes)
      first.set(name, dtype, shape, bytes)
    }
    const values = new Float32Array(96)
    const stored = new Float32Array(96)
    source.read(kernel.variable, 0, new Uint8Array(stored.buffer))
    for (let i = 0; i < 96; i++) values[(i % 16) * 6 + Math.floor(i / 16)] = stored[i]!
    first.set('first', 'F32', [16, 2, 3], new Uint8Array(values.buffer))
    const moved = { ...kernel, variable: 'first', layout: 'as_is' as const, storedShape: kernel.shape }
    const changed = { ...model, layers: [[{ ...block, intermediate: { ...block.intermediate, kernel: moved } }]] }
    const { plan, tensor } = of(changed, first)
    expect(tensor).toMatchObject({ shape: [2, 3, 16], logicalShape: [2, 3, 16], transposed: false, dtype: 'F32' })
    const found = new Float32Array(96)
    ;(tensor.origin as { fill: Fill }).fill(0, found)
    expect([...found]).toEqual([...stored])
    expect(outputs(builtFrom(plan, first))).toEqual(outputs({ model, source }))
  })

  it('tells what the code of the target cannot express', () => {
    const notes = (kind: Kind, shape: Partial<Shape>, config: object, target: CheckpointTarget): readonly string[] => {
      const { model, source } = memoryModel(kind, { ...SMALL, ...shape })
      return translate({ ...model, config: { ...model.config, ...config } }, source, target).notes
    }
    const refused = ": the configuration names it in transformers' words, which that code refuses"
    expect(notes('hf bert', {}, { hidden_act: 'gelu_erf' }, 'tf')).toEqual([
      `Google's modeling.py has no erf form of GELU${refused}`,
    ])
    expect(notes('hf albert', {}, { hidden_act: 'swish', layer_norm_eps: 1e-5 }, 'tf')).toEqual([
      `Google's modeling.py has no swish${refused}`,
      "Google's modeling.py has no layer_norm_eps: its LayerNorm takes 1e-12, this model 0.00001",
    ])
    expect(notes('google_fast', {}, { hidden_act: 'swish' }, 'tf')).toEqual([])
    expect(notes('hf albert', {}, { hidden_act: 'relu' }, 'tf')).toEqual([])
    const tooMany =
      'transformers 4 fails on a group of more inner layers (2) than layers take it; `targetArchitecture` albert ' +
      'writes a group for each'
    expect(notes('google', { layers: 1, inner: 2 }, {}, 'safetensors')).toEqual([tooMany])
    expect(notes('google', { layers: 2, inner: 2 }, {}, 'safetensors')).toEqual([])
    expect(notes('bert', {}, { inner_group_num: 9 }, 'safetensors')).toEqual([])
  })
})
