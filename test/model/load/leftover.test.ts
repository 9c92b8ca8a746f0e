import { describe, expect, it } from 'vitest'
import type { DType } from '../../../src/formats/core/source.js'
import {
  ignoreVariables,
  leftoverOf,
  notesOnOutside,
  refuseForeignNames,
  refuseLeftover,
} from '../../../src/model/load/leftover.js'
import { identify } from '../../../src/model/names/identify.js'
import { modelShapes, namedSource, type ModelOptions, type Shapes } from '../../helpers/named-source.js'

const BERT = 'Hugging Face BERT'

/** A BERT of transformers with more variables in its file. */
function withMore(more: Shapes, options: ModelOptions & { dtypes?: Record<string, DType>; title?: string } = {}) {
  const { dtypes = {}, title = BERT, ...model } = options
  const source = namedSource({ ...modelShapes(title, model), ...more }, { dtypes })
  return { source, found: identify(source) }
}

const shapes = (...names: string[]): Shapes => Object.fromEntries(names.map((name) => [name, [2, 2]]))

describe('variables that a model has no use for', () => {
  it.each<[string, ModelOptions & { title?: string }, string[], string[]]>([
    [
      'below the prefix of the body',
      {},
      ['bert.encoder.layer.0.gate.weight', 'bert.unheard'],
      ['encoder.layer.0.gate.weight', 'bertish.x'],
    ],
    [
      'in the parts of a model without a prefix',
      { prefix: '' },
      ['encoder.gate.weight', 'embeddings.more'],
      ['enc.x', 'fc.weight'],
    ],
    ['below an outer scope', { scope: 'module.' }, ['module.bert.encoder.x'], ['module.fc.weight', 'bert.encoder.x']],
    ['that act on the encoder from anywhere', {}, ['lora.lora_A.weight', 'prefix_encoder.weight'], ['crf.transitions']],
    ['whose heads are no part of the encoder', { parts: ['classifier'] }, [], ['classifier.more', 'classifier2']],
    [
      'of bert4keras, whose scopes end in a dash',
      { title: 'bert4keras BERT' },
      ['Transformer-0-Gate/kernel', 'Embedding-Rotary/embeddings'],
      ['Dense/kernel', 'transformer-0/kernel'],
    ],
  ])('%s', (_, options, inside, outside) => {
    const { source, found } = withMore(shapes(...inside, ...outside), options)
    expect(leftoverOf(source, found)).toEqual({ inside, outside })
  })

  it('are not those of its names whose element type no weight has', () => {
    const name = 'bert.pooler.dense.weight'
    const { source, found } = withMore(shapes('bert.buffer'), { dtypes: { [name]: 'I8', 'bert.buffer': 'I64' } })
    expect(found.unknown).toEqual([name, 'bert.buffer'])
    expect(leftoverOf(source, found)).toEqual({ inside: ['bert.buffer'], outside: [] })
  })

  it('are mapped ones as well, if the finished model does not use them', () => {
    const { source, found } = withMore({}, { parts: ['pooler', 'sop'] })
    const used = new Set([...source.tensors.keys()].filter((name) => !/pooler|cls\.seq/.test(name)))
    expect(leftoverOf(source, found, used)).toEqual({
      inside: ['bert.pooler.dense.weight', 'bert.pooler.dense.bias'],
      outside: ['cls.seq_relationship.weight', 'cls.seq_relationship.bias'],
    })
  })
})

describe('patterns of what to ignore', () => {
  const names = ['bert.adapter.down', 'bert.adapter.up', 'fc.weight']
  const { found } = withMore(shapes(...names))

  it('move variables from the unknown to those that are left out', () => {
    const kept = ignoreVariables(found, ['bert.adapter', '*nothing*'])
    expect(kept.unknown).toEqual(['fc.weight'])
    expect(kept.skipped).toEqual(names.slice(0, 2).map((variable) => ({ variable, reason: 'ignored, as asked' })))
    expect(kept.mapped).toBe(found.mapped)
    expect(found.unknown).toEqual(names)
  })

  it('leave everything as it is if there are none', () => {
    expect(ignoreVariables(found, [])).toBe(found)
  })

  it('keep what was left out before', () => {
    const skipped = [{ variable: 'x', reason: 'y' }]
    expect(ignoreVariables({ ...found, skipped }, ['fc']).skipped).toEqual([
      ...skipped,
      { variable: 'fc.weight', reason: 'ignored, as asked' },
    ])
  })
})

describe('a refusal', () => {
  const refusal = (...inside: string[]) => {
    const { source, found } = withMore(shapes(...inside))
    return refuseLeftover(source, found, { inside, outside: ['fc.weight'] })?.toJSON() ?? null
  }
  const COMMON = { kind: 'unsupported', code: 'tensor-unknown', file: 'weights' }

  it('is none without variables inside', () => {
    expect(refusal()).toBeNull()
  })

  it('of one variable of no known kind names it and a pattern for its layers', () => {
    expect(refusal('bert.encoder.layer.11.unheard_of.weight')).toEqual({
      ...COMMON,
      message:
        'the model has a variable that albertkit would leave out, and so compute something else: ' +
        'bert.encoder.layer.11.unheard_of.weight: no variable of Hugging Face BERT has such a name',
      tensor: 'bert.encoder.layer.11.unheard_of.weight',
      hint: 'to compute without them all the same: `ignore` "bert.encoder.layer.*.unheard_of.weight"',
    })
  })

  it('says of each kind once what it looks like, and what to do about it', () => {
    const lora = [0, 1, 2].map((l) => `bert.encoder.layer.${l}.query.lora_A.weight`)
    const error = refusal(...lora, 'bert.x1', 'bert.encoder.layer.0.adapter_news.kernel', 'bert.modules_to_save.y')
    expect(error).toEqual({
      ...COMMON,
      message:
        'the model has 6 variables that albertkit would leave out, and so compute something else: ' +
        `${lora.join(', ')}: it looks like LoRA deltas (PEFT); ` +
        'bert.x1: no variable of Hugging Face BERT has such a name; ' +
        'bert.encoder.layer.0.adapter_news.kernel: it looks like adapters (Houlsby, Pfeiffer or their kin); ' +
        'bert.modules_to_save.y: it looks like a module that PEFT has trained beside the original',
      tensor: lora[0],
      hint:
        'merge the deltas first, with `mergeLora` (adapter_config.json beside the weights has their scale) or PEFT ' +
        'merge_and_unload(); to compute without them all the same: ' +
        '`ignore` "*lora_A*" and "bert.x*" and "*adapter_news*" and "*modules_to_save*"',
    })
  })

  it('names the architecture that has such names', () => {
    const error = refusal('bert.encoder.layer.0.attention.self.query_global.weight')
    expect(error?.message).toMatch(/has such a name; Longformer has such names$/)
  })

  it('shows six names of many', () => {
    const names = Array.from({ length: 9 }, (_, i) => `bert.odd_${i}`)
    expect(refusal(...names)?.message).toContain(
      ': bert.odd_0, bert.odd_1, bert.odd_2, bert.odd_3, bert.odd_4, bert.odd_5 and 3 more: no',
    )
    expect(refusal(...names.slice(0, 6))?.message).toContain('bert.odd_4, bert.odd_5: no')
  })
})

describe('the note on heads that are left out', () => {
  const note = (outside: readonly string[], dense: readonly string[] = []) =>
    notesOnOutside({ inside: ['x'], outside }, dense)

  it.each<[readonly string[], readonly string[], readonly string[]]>([
    [[], ['fc'], []],
    [['x.w'], [], ['left out, for it is no variable of the model: x.w']],
    [['x.w', 'x.b'], [], ['left out, for they are no variables of the model: x.w, x.b']],
    [
      ['crf.transitions', 'lstm.w', 'crf', 'conv1.w'],
      [],
      [
        'left out, for they are no variables of the model: crf.transitions, lstm.w, crf, conv1.w; ' +
          'it looks like a CRF and a recurrent layer and a convolution',
      ],
    ],
    [
      ['fc.weight'],
      ['fc', 'fc_2'],
      [
        'left out, for it is no variable of the model: fc.weight; as the classifier of the model: `head` fc or `head` fc_2',
      ],
    ],
  ])('%j, dense %j', (outside, dense, expected) => {
    expect(note(outside, dense)).toEqual(expected)
  })
})

describe('names of another architecture', () => {
  const refused = (scope: string, model_type?: string) => {
    const { source, found } = withMore({}, { prefix: `${scope}.` })
    const raw = model_type === undefined ? null : { file: 'config.json', fields: { model_type } }
    return refuseForeignNames(source, found, raw)?.toJSON() ?? null
  }

  it('are refused if their scope is its own', () => {
    expect(refused('electra')).toEqual({
      kind: 'unsupported',
      code: 'architecture-unsupported',
      message: 'the names are those of ELECTRA: albertkit runs ALBERT and BERT',
      file: 'weights',
      tensor: 'electra.embeddings.word_embeddings.weight',
      hint:
        'ELECTRA computes something else with weights that are named alike; if it is BERT under another name, ' +
        'a configuration whose model_type is "bert" says so',
    })
    expect(refused('model.roberta', 'roberta')).toMatchObject({ message: expect.stringContaining('RoBERTa') as string })
  })

  it('are refused by names that nothing else has, if there is no configuration', () => {
    const { source, found } = withMore(shapes('bert.encoder.layer.0.attention.self.query_global.weight'))
    expect(refuseForeignNames(source, found, null)?.message).toMatch(/^the names are those of Longformer:/)
    expect(refuseForeignNames(source, found, { file: 'config.json', fields: {} })).toBeNull()
  })

  it.each([
    ['bert', undefined],
    ['electra', 'bert'],
    ['electra', 'albert'],
    ['my_encoder', 'mine'],
  ])('%s with the model_type %s are not', (scope, type) => {
    expect(refused(scope, type)).toBeNull()
  })
})
