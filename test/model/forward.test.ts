import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { HeadSelection } from '../../src/model/tasks.js'
import type { AlbertModel } from '../../src/model/albert.js'
import { forward, takesChoices } from '../../src/model/forward.js'
import type { Ops } from '../../src/model/ops.js'
import { innerNames } from '../../src/model/reference/inner-names.js'
import { runReference, type Subject } from '../../src/model/reference/run.js'
import { FORWARD_CASES, forwardCase, type ForwardCase } from '../helpers/forward-cases.js'
import { tinyModel } from '../helpers/tiny-model.js'

interface Values {
  readonly shape: readonly number[]
  readonly data: readonly number[]
}
const goldens = JSON.parse(
  readFileSync(new URL('../helpers/forward-goldens.json', import.meta.url), 'utf8'),
) as Readonly<Record<ForwardCase, { readonly values: Readonly<Record<string, Values>> }>>

const close = (values: Values): unknown => ({
  shape: values.shape,
  data: values.data.map((x) => expect.closeTo(x, 7) as number),
})
const plain = ({ shape, data }: { shape: readonly number[]; data: Float64Array }): Values => ({
  shape,
  data: [...data],
})

const NONE: HeadSelection = { mlm: false, sop: false, classifier: false, qa: false }
const ALL: HeadSelection = { mlm: true, sop: true, classifier: true, qa: true }

describe('the forward pass', () => {
  it.each(FORWARD_CASES)('has the values of PyTorch: %s', (name) => {
    const { model, source, inputs, heads } = forwardCase(name)
    const values = runReference(model, source, inputs, heads)
    const { values: wanted } = goldens[name]
    expect([...values.keys()].sort()).toEqual(Object.keys(wanted).sort())
    for (const [output, found] of values) expect(plain(found), output).toEqual(close(wanted[output]!))
  })

  it('runs the heads that are asked for, and those alone', () => {
    const { model, source, inputs } = forwardCase("Google's albert")
    const outputs = (heads: HeadSelection): string[] =>
      [...runReference(model, source, inputs, heads).keys()].filter((name) => name.includes('logits'))
    expect(outputs(NONE)).toEqual([])
    expect(outputs({ ...NONE, mlm: true })).toEqual(['prediction_logits'])
    expect(outputs({ ...NONE, sop: true })).toEqual(['sop_logits'])
    expect(outputs({ ...NONE, classifier: true })).toEqual(['logits'])
    const answers = forwardCase('bert that answers')
    const spans = runReference(answers.model, answers.source, inputs, NONE)
    expect([...spans.keys()].filter((name) => name.includes('logits'))).toEqual([])
  })

  it('leaves out the heads of sequences of a model without a pooler, unless they have their own', () => {
    const { inputs } = forwardCase('bert')
    const logits = ({ model, source }: Subject): Values[] =>
      ['sop_logits', 'logits'].flatMap((name) => {
        const found = runReference(model, source, inputs, ALL).get(name)
        return found === undefined ? [] : [plain(found)]
      })
    const options = { family: 'bert', layers: 1, hidden: 8, vocabulary: 11 } as const
    expect(logits(tinyModel({ ...options, heads: ['sop', 'classifier'] }))).toEqual([])
    const own = tinyModel({ ...options, heads: ['pooler', 'sop', 'classifier'], poolers: true })
    const found = logits({ ...own, model: { ...own.model, pooler: null } })
    expect(found.map(({ shape }) => shape)).toEqual([
      [2, 2],
      [2, 3],
    ])
    // A head's own pooler is used even if there is one of the encoder; as that of the encoder it gives the same.
    expect(logits(own)).toEqual(found)
    const { sop, classifier } = own.model
    const shared = { ...own.model, sop: { ...sop!, pooler: null }, classifier: { ...classifier!, pooler: null } }
    for (const [at, pooler] of [sop!.pooler, classifier!.pooler].entries())
      expect(logits({ ...own, model: { ...shared, pooler } })[at]).toEqual(found[at])
    expect(logits({ ...own, model: shared })).not.toEqual(found)
  })

  it('takes choices if their head runs', () => {
    const { model } = forwardCase('bert that chooses')
    expect(takesChoices(model, ALL)).toBe(true)
    expect(takesChoices(model, NONE)).toBe(false)
    expect(takesChoices(forwardCase("Google's albert").model, ALL)).toBe(false)
    expect(takesChoices(forwardCase('bert').model, ALL)).toBe(false)
  })

  it('uses the settings of the masked-token head, if it has its own', () => {
    const { model, source, inputs } = forwardCase("Google's albert")
    const logits = (settings: object): Values =>
      plain(
        runReference({ ...model, config: { ...model.config, ...settings } }, source, inputs, ALL).get(
          'prediction_logits',
        )!,
      )
    const usual = logits({})
    expect(logits({ mlm_head: { hidden_act: 'gelu_tanh', layer_norm_eps: 1e-12 } })).toEqual(usual)
    expect(logits({ mlm_head: { hidden_act: 'relu', layer_norm_eps: 1e-12 } })).not.toEqual(usual)
    expect(logits({ mlm_head: { hidden_act: 'gelu_tanh', layer_norm_eps: 0.5 } })).not.toEqual(usual)
  })

  it('computes groups of google_fast as one kernel with zeros between them', () => {
    const { model, source } = tinyModel({ family: 'google_fast', hidden: 16, layers: 1, vocabulary: 11 })
    const { inputs } = forwardCase('bert')
    const whole = tinyModel({ family: 'google_fast', hidden: 16, layers: 1, vocabulary: 11 }).source
    const matrix = ({ slot, shape }: { slot: string; shape: readonly number[] }) => {
      const [groups = 1, rows = 1, columns = 1] = shape
      const stored = new Float32Array(groups * rows * columns)
      source.read(`source/${slot}`, 0, new Uint8Array(stored.buffer))
      const values = new Float32Array(groups * rows * groups * columns)
      for (let g = 0; g < groups; g++)
        for (let i = 0; i < rows; i++)
          for (let j = 0; j < columns; j++)
            // The file has the group last; group g takes every sixteenth channel from g on and gives neighbouring ones.
            values[(i * groups + g) * groups * columns + g * columns + j] = stored[(i * columns + j) * groups + g]!
      const wide = [groups * rows, groups * columns]
      whole.set(slot, 'F32', wide, new Uint8Array(values.buffer))
      return { slot, variable: slot, shape: wide, storedShape: wide, layout: 'as_is' as const, dtype: 'F32' as const }
    }
    const block = model.layers[0]![0]!
    const { intermediate, output } = block
    const changed = {
      ...block,
      intermediate: { ...intermediate, kernel: matrix(intermediate.kernel) },
      output: { ...output, kernel: matrix(output.kernel) },
    }
    const found = runReference(model, source, inputs, NONE).get('last_hidden_state')!
    const meant = runReference({ ...model, layers: [[changed]] }, whole, inputs, NONE).get('last_hidden_state')!
    expect(plain(found)).toEqual(close(plain(meant)))
  })
})

const ATTENTION = [
  ...['query', 'key', 'value'].map((name) => `attention/${name}/dense`),
  ...['scores/product', 'probabilities', 'context/merged', 'output/dense'].map((name) => `attention/${name}`),
]
const FEED_FORWARD = ['intermediate/dense', 'intermediate/activation', 'output/dense'].map((name) => `ffn/${name}`)
const POST = [...ATTENTION, 'attention/sum', 'attention/normed', ...FEED_FORWARD, 'ffn/sum', 'ffn/normed']
const PRE = ['attention/normed', ...ATTENTION, 'attention/sum', 'ffn/normed', ...FEED_FORWARD, 'ffn/sum']
const layers = (names: readonly string[], ...inside: readonly string[]): string[] =>
  inside.flatMap((layer) => names.map((name) => `encoder/${layer}/${name}`))

describe('inner values', () => {
  const EMBEDDINGS = ['embeddings/sum', 'embeddings/normed']
  it('are named in the order of their computation', () => {
    expect(innerNames(forwardCase("Google's albert").model, ALL)).toEqual([
      ...EMBEDDINGS,
      'mapping/dense',
      ...layers(POST, 'layer_0/inner_0', 'layer_0/inner_1', 'layer_1/inner_0', 'layer_1/inner_1'),
      'pooler/activation',
      ...['mlm/transform/activation', 'mlm/transform/normed', 'mlm/decoder/logits'],
      ...['sop/logits', 'classifier/logits'],
    ])
    expect(innerNames(forwardCase('albert_zh, pre-LN').model, NONE)).toEqual([
      ...EMBEDDINGS,
      ...layers(PRE, 'layer_0', 'layer_1'),
      'pooler/activation',
    ])
    expect(innerNames(forwardCase('bert that answers').model, ALL).slice(-2)).toEqual([
      'encoder/layer_1/ffn/normed',
      'qa/logits',
    ])
  })

  it('of the own pooler of a head are named below it', () => {
    const { model } = tinyModel({ layers: 1, heads: ['sop', 'classifier'], poolers: true })
    expect(innerNames(model, ALL).slice(-4)).toEqual([
      ...['sop/pooler/activation', 'sop/logits'],
      ...['classifier/pooler/activation', 'classifier/logits'],
    ])
  })
})

describe('scopes', () => {
  /** Operations of a forward pass, each with the path of its scopes; marks and inner values by their names. */
  function operations(model: AlbertModel): string[] {
    const made: string[] = []
    const path: string[] = []
    const scope = (name: string, body: () => string): string => {
      path.push(name)
      const value = body()
      path.pop()
      return value
    }
    const ops = new Proxy({} as Ops<string>, {
      get: (_, op: string) =>
        op === 'scope'
          ? scope
          : (...args: unknown[]) => {
              made.push([...path, op === 'mark' || op === 'inner' ? `${op} ${String(args[0])}` : op].join('/'))
              return op
            },
    })
    forward(model, ops, { input_ids: '', attention_mask: '', token_type_ids: '' }, ALL)
    return made
  }

  it('name the nodes of a graph', () => {
    const zh = operations(tinyModel({ family: 'zh', layers: 1, heads: ['mlm', 'qa'] }).model)
    expect(zh.filter((name) => !name.startsWith('encoder/'))).toEqual([
      ...[
        'word/gather',
        'word/linear',
        'token_type/gather',
        'token_type/add',
        'position/positions',
        'position/add',
      ].map((name) => `embeddings/${name}`),
      ...['inner sum', 'layerNorm', 'inner normed'].map((name) => `embeddings/${name}`),
      ...['mark embedding_output', 'attention_bias/attentionBias', 'mark hidden_state_0'],
      ...['linear', 'activation', 'inner activation', 'layerNorm', 'inner normed'].map(
        (name) => `mlm/transform/${name}`,
      ),
      ...['factor/linearTransposed', 'decoder/linearTransposed', 'decoder/inner logits'].map((name) => `mlm/${name}`),
      ...['qa/linearTransposed', 'qa/inner logits', 'qa/start/pick', 'qa/end/pick'],
    ])
    const albert = operations(tinyModel({ family: 'hf', layers: 1, heads: [] }).model)
    expect(albert.filter((name) => name.startsWith('m'))).toEqual([
      ...['mark embedding_output', 'mapping/linear', 'mapping/inner dense', 'mark embedding_hidden_mapping_in'],
      'mark hidden_state_0',
    ])
  })
})
