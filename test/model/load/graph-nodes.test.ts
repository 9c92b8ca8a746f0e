import { describe, expect, it } from 'vitest'
import type { GraphNode } from '../../../src/formats/core/source.js'
import { parseConfig } from '../../../src/model/config.js'
import { compareFacts, completeConfig, graphFacts } from '../../../src/model/load/graph-facts.js'
import { fieldsOf } from '../../helpers/named-source.js'

/** Nodes by the names that each code gives them, one fact at a time. */

const node = (name: string, op: string, numbers: number[] | null = null, inputs: string[] = []): GraphNode => ({
  name,
  op,
  inputs,
  numbers: () => numbers,
})
const constant = (name: string, ...numbers: number[]): GraphNode => node(name, 'Const', numbers)

describe('the number of heads', () => {
  it.each<[string, number[], number | undefined]>([
    ['bert/encoder/layer_shared/attention/self/Reshape/shape/2', [12], 12],
    ['bert/encoder/layer_shared/attention_3/self/Reshape/shape/2', [12], 12],
    ['module/bert/encoder/layer_0/attention/self/Reshape/shape', [-1, 128, 12, 64], 12],
    ['encoder/transformer/group_0/inner_group_0/attention_1/self/query/Reshape/shape', [768, 12, 64], 12],
    ['bert/encoder/layer_shared/attention/self/Reshape/shape/2', [12, 3], undefined],
    ['bert/encoder/layer_0/attention/self/Reshape/shape', [-1, 12, 64], undefined],
    ['bert/encoder/layer_0/attention_1/self/query/Reshape/shape', [768, 0, 64], undefined],
    ['bert/encoder/layer_0/attention_2/self/query/Reshape/shape', [768, 12, 64], undefined],
    ['bert/encoder/layer_0/attention/self/Reshape/shape/1', [12], undefined],
    ['bert/encoder/layer_0/attention/self/Reshape_1/shape/2', [12], undefined],
    ['bert/decoder/layer_0/attention/self/Reshape/shape/2', [12], undefined],
  ])('%s %j: %s', (name, numbers, expected) => {
    expect(graphFacts([constant(name, ...numbers)]).num_attention_heads).toBe(expected)
  })

  it('is that of a constant, and the first one', () => {
    const name = 'bert/encoder/layer_0/attention/self/Reshape/shape/2'
    expect(graphFacts([node(name, 'Pack', [12])])).toEqual({})
    expect(graphFacts([node(name, 'Const')])).toEqual({})
    expect(graphFacts([constant(name, 12), constant(name, 4)]).num_attention_heads).toBe(12)
  })
})

describe('the epsilon', () => {
  it.each<[string, number[], number | undefined]>([
    ['bert/encoder/layer_shared/output/LayerNorm/batchnorm/add/y', [Math.fround(1e-12)], 1e-12],
    ['bert/encoder/layer_shared/output/LayerNorm_1/batchnorm/add/y', [Math.fround(1e-3)], 1e-3],
    ['bert/encoder/layer_shared/output/LayerNorm/batchnorm/add/y', [0], undefined],
    ['bert/encoder/layer_shared/output/LayerNorm/batchnorm/add/y', [-1], undefined],
    ['bert/encoder/layer_shared/output/LayerNorm/batchnorm/add/y', [], undefined],
    ['bert/encoder/layer_shared/output/LayerNorm/batchnorm/add/y2', [1], undefined],
    ['bert/embeddings/LayerNorm/batchnorm/add/y', [1], undefined],
  ])('%s %j: %s', (name, numbers, expected) => {
    expect(graphFacts([constant(name, ...numbers)]).layer_norm_eps).toBe(expected)
  })

  it('is the first one', () => {
    const name = 'bert/encoder/layer_0/output/LayerNorm/batchnorm/add/y'
    expect(graphFacts([constant(name, 1e-5), constant(name, 1e-6)]).layer_norm_eps).toBe(1e-5)
    expect(graphFacts([node(name, 'Const'), constant(name, 1e-6)]).layer_norm_eps).toBe(1e-6)
  })
})

describe('the number of layers', () => {
  it.each<[readonly string[], number | undefined]>([
    [['bert/encoder/layer_11/attention/self/Softmax', 'bert/encoder/layer_2/attention/self/Softmax'], 12],
    [['bert/encoder/layer_shared/attention/self/Softmax'], 1],
    [['bert/encoder/layer_shared/attention/self/Softmax', 'bert/encoder/layer_shared_3/attention/self/Softmax'], 4],
    [['bert/encoder/transformer/group_0/layer_7/inner_group_0/attention_1/self/Softmax'], 8],
    [['bert/encoder/transformer/group_0_1/layer_7/inner_group_0/attention_1/self/Softmax'], 8],
    [['bert/encoder/transformer/layer_7/x/Softmax'], undefined],
    [['bert/encoder/layer_x/attention/self/Softmax'], undefined],
  ])('%j: %s', (names, expected) => {
    expect(graphFacts(names.map((name) => node(name, 'Softmax'))).num_hidden_layers).toBe(expected)
  })

  it('is that of layers that attend', () => {
    expect(graphFacts([node('bert/encoder/layer_3/attention/self/MatMul', 'MatMul')])).toEqual({})
  })
})

describe('the activation', () => {
  it.each<[string, string, string | undefined]>([
    ['bert/encoder/layer_0/intermediate/dense/Erf', 'Erf', 'gelu_erf'],
    ['bert/encoder/layer_0/intermediate/Erf', 'Erf', 'gelu_erf'],
    ['bert/encoder/transformer/group_0/inner_group_0/ffn_1/intermediate/Erf', 'Erf', 'gelu_erf'],
    ['bert/encoder/layer_0/intermediate_4/dense/Erf', 'Erf', 'gelu_erf'],
    ['bert/encoder/layer_0/intermediate/output/dense/Relu', 'Relu', undefined],
    ['bert/encoder/layer_0/output/dense/Relu', 'Relu', undefined],
  ])('%s: %s', (name, op, expected) => {
    expect(graphFacts([node(name, op)]).hidden_act).toBe(expected)
  })
})

describe('the position of the LayerNorms', () => {
  const at = 'bert/encoder/layer_0/attention'
  it.each<[string, string, string[], string | undefined]>([
    [`${at}/output/LayerNorm/moments/mean`, 'Mean', [`${at}/output/add`], 'post'],
    [`${at}_1/output/LayerNorm/moments/mean`, 'Mean', [`${at}_1/output/add`], 'post'],
    [`${at}_1/output/LayerNorm/moments/mean`, 'Mean', [`${at}_2/output/add`], 'pre'],
    [`${at}/output/LayerNorm/moments/mean`, 'Mean', ['bert/encoder/Reshape'], 'pre'],
    [`${at}/output/LayerNorm/moments/mean`, 'Mean', [], 'pre'],
    [`${at}/output/LayerNorm/moments/mean`, 'Sum', [`${at}/output/add`], undefined],
    [`${at}/output/LayerNorm/moments/mean_1`, 'Mean', [], undefined],
    ['bert/encoder/layer_0/output/LayerNorm/moments/mean', 'Mean', [], undefined],
  ])('%s %s of %j: %s', (name, op, inputs, expected) => {
    expect(graphFacts([node(name, op, null, inputs)]).norm_position).toBe(expected)
  })

  it('is that of the first layer', () => {
    const mean = (l: number, input: string) =>
      node(`bert/encoder/layer_${l}/attention/output/LayerNorm/moments/mean`, 'Mean', null, [input])
    expect(graphFacts([mean(0, 'x'), mean(1, 'bert/encoder/layer_1/attention/output/add')]).norm_position).toBe('pre')
  })
})

describe('nodes that say nothing', () => {
  const softmax = (name: string) => graphFacts([node(name, 'Softmax')]).num_hidden_layers
  const name = 'bert/encoder/layer_3/attention/self/Softmax'

  it('are those of training and saving', () => {
    expect(
      ['', 'gradients/', 'save/', 'save_1/', 'report_uninitialized/'].map((scope) => softmax(scope + name)),
    ).toEqual([4, undefined, undefined, undefined, undefined])
    expect(softmax(`my/gradients/${name}`)).toBe(4)
  })

  it('are those of longer names than any graph has', () => {
    const long = (length: number): string => `${'x'.repeat(length - name.length - 1)}/${name}`
    expect([softmax(long(512)), softmax(long(513))]).toEqual([4, undefined])
  })

  it('are those of a second model in the graph', () => {
    const of = (...scopes: string[]) =>
      graphFacts(scopes.map((scope, i) => node(`${scope}bert/encoder/layer_${i}/x/Softmax`, 'Softmax')))
    expect(of('', '', 'serving/').num_hidden_layers).toBe(2)
    expect(of('serving/', '', '').num_hidden_layers).toBe(1)
  })
})

describe('the graph beside a configuration', () => {
  const config = parseConfig({ file: 'c.json', fields: fieldsOf() }, 'google', 'albert')

  it('agrees, and says with what', () => {
    const facts = { num_attention_heads: 2, layer_norm_eps: 1e-12, classifier_kind: 'token' } as const
    expect(compareFacts(config, facts, 'm.meta')).toEqual([
      'the graph in m.meta agrees with the configuration: num_attention_heads 2, layer_norm_eps 1e-12',
    ])
    expect(compareFacts(config, { classifier_kind: 'token' }, 'm.meta')).toEqual([])
  })

  it('differs, and says in what', () => {
    const facts = { num_attention_heads: 2, hidden_act: 'relu', norm_position: 'pre' } as const
    const wrong = 'if the graph is right, outputs will be wrong'
    expect(compareFacts(config, facts, 'm.meta')).toEqual([
      `hidden_act is gelu_tanh, but the graph in m.meta has relu: ${wrong}`,
      `norm_position is post, but the graph in m.meta has pre: ${wrong}`,
    ])
  })

  it.each<[Record<string, unknown>, string, 'pre' | 'post' | undefined, boolean]>([
    [{}, 'zh', 'pre', true],
    [{ ln_type: null }, 'zh', 'pre', true],
    [{}, 'zh', 'post', false],
    [{}, 'zh', undefined, false],
    [{}, 'google', 'pre', false],
    [{ ln_type: 'postln' }, 'zh', 'pre', false],
    [{ albertkit: {} }, 'zh', 'pre', false],
  ])('completes %j of %s by %s: %s', (fields, family, norm_position, completed) => {
    const raw = { file: 'c.json', fields: { ...fields, vocab_size: 1 } }
    const facts = norm_position === undefined ? {} : { norm_position }
    expect(completeConfig(raw, family, facts)).toEqual({
      raw: completed ? { file: 'c.json', fields: { ...raw.fields, ln_type: 'preln' } } : raw,
      notes: completed ? ['the configuration has no ln_type; the graph is pre-LN, so the model is'] : [],
    })
  })
})

describe('the operand of a classifier', () => {
  const encoder = 'bert/encoder/layer_shared/output/add'
  const kindOf = (...nodes: GraphNode[]) => graphFacts(nodes, 'output_weights').classifier_kind
  const product = (...inputs: string[]) => node('loss/MatMul', 'MatMul', null, inputs)
  const pass = (name: string, ...inputs: string[]) => node(name, 'Identity', null, inputs)

  it.each<[string, string | undefined, GraphNode[]]>([
    ['the kernel itself', 'token', [product(encoder, 'output_weights')]],
    ['an encoder at the top', 'token', [product('encoder/layer_0/add', 'output_weights')]],
    ['a product of several tokens', 'token', [node('p', 'BatchMatMulV2', null, [encoder, 'output_weights'])]],
    ['another operation', undefined, [node('p', 'Mul', null, [encoder, 'output_weights'])]],
    ['another kernel', undefined, [product(encoder, 'other')]],
    ['a product without a kernel', undefined, [product(encoder)]],
    ['the kernel on the other side', undefined, [product('output_weights', encoder)]],
    ['a pooler below a scope', 'sequence', [product('module/pooler/dense/Tanh', 'output_weights')]],
    ['a pooler at the top', 'sequence', [product('pooler/dense/Tanh', 'output_weights')]],
    ['a pooler by part of a name', undefined, [product('bert/mypooler/x', 'output_weights')]],
    ['both, of which the pooler counts', 'sequence', [pass('a', encoder, 'pooler/x'), product('a', 'output_weights')]],
    ['neither', undefined, [pass('a', 'b'), product('a', 'output_weights')]],
  ])('%s: %s', (_, kind, nodes) => {
    expect(kindOf(...nodes)).toBe(kind)
  })

  const chain = (n: number, from: string, to: string): GraphNode[] =>
    Array.from({ length: n }, (_, i) => pass(i === 0 ? from : `${from}_${i}`, i === n - 1 ? to : `${from}_${i + 1}`))

  it('is followed for a thousand nodes', () => {
    const of = (n: number) => kindOf(...chain(n, 'a', encoder), product('a', 'output_weights'))
    expect([of(900), of(1_100)]).toEqual(['token', undefined])
  })

  it('has a kernel that at most eight nodes pass on', () => {
    const of = (n: number) => kindOf(...chain(n, 'k', 'output_weights'), product(encoder, 'k'))
    expect([of(1), of(8), of(9)]).toEqual(['token', 'token', undefined])
  })

  it('is not looked for through nodes of more inputs than a head has', () => {
    const wide = (n: number) =>
      kindOf(pass('a', encoder, ...new Array<string>(n - 1).fill('x')), product('a', 'output_weights'))
    expect([wide(64), wide(65)]).toEqual(['token', undefined])
  })
})
