import { describe, expect, it } from 'vitest'
import type { GraphNode } from '../../../src/formats/core/source.js'
import { compareFacts, completeConfig, graphFacts } from '../../../src/model/load/graph-facts.js'
import { parseConfig } from '../../../src/model/config.js'

const node = (
  name: string,
  op: string,
  inputs: readonly string[] = [],
  numbers: readonly number[] | null = null,
): GraphNode => ({ name, op, inputs, numbers: () => numbers })

const LAYER = 'bert/encoder/layer_shared'

/** The nodes of brightmart's graph that tell something, in two layers. */
const nodes = (position: 'pre' | 'post', scope = ''): GraphNode[] =>
  ['', '_1'].flatMap((n) => {
    const at = `${scope}${LAYER}${n}`
    const input = position === 'post' ? `${at}/attention/output/add` : `${scope}bert/encoder/Reshape_1`
    return [
      node(`${at}/attention/self/Reshape/shape/2`, 'Const', [], [12]),
      node(`${at}/attention/self/Softmax`, 'Softmax'),
      node(`${at}/attention/output/LayerNorm/moments/mean`, 'Mean', [input]),
      node(`${at}/attention/output/LayerNorm/batchnorm/add/y`, 'Const', [], [Math.fround(1e-12)]),
      node(`${at}/intermediate/dense/Pow`, 'Pow'),
      node(`${at}/intermediate/dense/Tanh`, 'Tanh'),
    ]
  })

const config = {
  file: 'albert_config.json',
  fields: {
    vocab_size: 100,
    embedding_size: 8,
    hidden_size: 24,
    num_hidden_layers: 2,
    num_attention_heads: 12,
    intermediate_size: 32,
    hidden_act: 'gelu',
  },
}

describe('facts of a graph', () => {
  it.each(['pre', 'post'] as const)('%s-LN, heads, layers, epsilon and activation', (position) => {
    expect(graphFacts(nodes(position))).toEqual({
      num_attention_heads: 12,
      num_hidden_layers: 2,
      layer_norm_eps: 1e-12,
      hidden_act: 'gelu_tanh',
      norm_position: position,
    })
  })

  it.each([
    [['Erf', 'Mul'], 'gelu_erf'],
    [['Relu'], 'relu'],
    [['Sigmoid', 'Mul'], 'swish'],
    [['Tanh'], 'tanh'],
    [['BiasAdd'], undefined],
  ] as const)('%j is %s', (ops, expected) => {
    const graph = ops.map((op) => node(`${LAYER}/intermediate/dense/${op}`, op))
    expect(graphFacts(graph).hidden_act).toBe(expected)
  })

  it('gradients, and a second copy of the model, say nothing', () => {
    const gradients = node(`gradients/${LAYER}_7/attention/self/Softmax`, 'Softmax')
    expect(graphFacts([gradients, ...nodes('post'), ...nodes('pre', 'serving/')])).toEqual(graphFacts(nodes('post')))
  })

  it('an unrelated graph gives no facts', () => {
    expect(graphFacts([node('resnet/conv/Relu', 'Relu')])).toEqual({})
  })
})

describe('compared with a configuration', () => {
  const zh = (raw = config) => parseConfig(raw, 'zh', 'albert')

  it('a missing ln_type is taken from the graph, with a note', () => {
    const { raw, notes } = completeConfig(config, 'zh', graphFacts(nodes('pre')))
    expect(parseConfig(raw, 'zh', 'albert').norm_position).toBe('pre')
    expect(notes[0]).toContain('pre-LN')
    expect(completeConfig(config, 'zh', graphFacts(nodes('post'))).raw).toBe(config)
  })

  it('a given ln_type is kept, and the contradiction is noted', () => {
    const given = { ...config, fields: { ...config.fields, ln_type: 'postln' } }
    const facts = graphFacts(nodes('pre'))
    expect(completeConfig(given, 'zh', facts).raw).toBe(given)
    expect(compareFacts(zh(given), facts, 'x.meta')).toEqual([expect.stringMatching(/^norm_position is post, .* pre/)])
  })

  it('agreement and every difference are noted', () => {
    expect(compareFacts(zh(), graphFacts(nodes('post')), 'x.meta')[0]).toContain('agrees')
    const other = { ...config, fields: { ...config.fields, num_attention_heads: 6, num_hidden_layers: 3 } }
    const notes = compareFacts(zh(other), graphFacts(nodes('post')), 'x.meta')
    expect(notes.map((note) => note.split(' ')[0])).toEqual(['num_attention_heads', 'num_hidden_layers'])
  })
})
