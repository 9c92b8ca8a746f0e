import { expect, it } from 'vitest'
import type { GraphNode } from '../../../src/formats/core/source.js'
import { graphFacts } from '../../../src/model/load/graph-facts.js'

const node = (name: string, op: string, ...inputs: string[]): GraphNode => ({ name, op, inputs, numbers: () => null })

const HEAD = [
  node('output_weights', 'VariableV2'),
  node('output_weights/read', 'Identity', 'output_weights'),
  node('loss/dropout/random_uniform', 'RandomUniform'),
]
const ENCODER = node('bert/encoder/layer_shared_1/output/LayerNorm/batchnorm/add_1', 'Add')
const POOLER = [
  node('bert/pooler/strided_slice', 'StridedSlice', ENCODER.name),
  node('bert/pooler/dense/Tanh', 'Tanh', 'bert/pooler/strided_slice'),
]

const kindOf = (nodes: readonly GraphNode[], classifier?: string) => graphFacts(nodes, classifier).classifier_kind

it('a classifier whose kernel meets the pooled sequence is one of sequences', () => {
  const nodes = [
    ...HEAD,
    ENCODER,
    ...POOLER,
    node('loss/dropout/mul', 'Mul', 'bert/pooler/dense/Tanh', 'loss/dropout/random_uniform'),
    node('loss/MatMul', 'MatMul', 'loss/dropout/mul', 'output_weights/read'),
  ]
  expect(kindOf(nodes, 'output_weights')).toBe('sequence')
  expect(kindOf(nodes)).toBeUndefined()
})

it('one whose kernel meets the hidden state of each token is one of tokens', () => {
  const nodes = [
    ...HEAD,
    ENCODER,
    ...POOLER,
    node('project/Reshape', 'Reshape', ENCODER.name, 'project/shape'),
    node('project/MatMul', 'MatMul', 'project/Reshape', 'output_weights/read'),
    node('gradients/project/MatMul_grad/MatMul', 'MatMul', 'bert/pooler/dense/Tanh', 'output_weights/read'),
  ]
  expect(kindOf(nodes, 'output_weights')).toBe('token')
})

it('a loop in the graph, or a graph without the head, shows nothing', () => {
  const loop = [
    ...HEAD,
    node('a', 'Add', 'b'),
    node('b', 'Add', 'a'),
    node('loss/MatMul', 'MatMul', 'a', 'output_weights/read'),
  ]
  expect(kindOf(loop, 'output_weights')).toBeUndefined()
  expect(kindOf(HEAD, 'output_weights')).toBeUndefined()
})
