import { int, NodeWriter, type Value } from '../export/onnx/nodes.js'
import type { Parameter } from '../model/albert.js'
import { serialise } from './graph-writer.js'
import type { OptimizerSettings, TrainedVariable } from './optimizer.js'

/** Graphs beside that of the gradients, for a device on which weights and the optimizer's state stay between steps. */

/** A variable whose state stays on the device. */
export interface DeviceVariable extends Pick<TrainedVariable, 'decays' | 'adapts' | 'rateFactor'> {
  readonly parameter: Parameter
}

/** Names of the values of a variable in these graphs; the weights of the gradients' graph are named by the slot alone. */
export const VALUES = ['weights', 'm', 'v'] as const
export type ValueKind = (typeof VALUES)[number]
export const inputName = (kind: ValueKind | 'gradients' | 'sum', { slot }: Parameter): string => `${kind}/${slot}`
export const outputName = (kind: ValueKind | 'sum' | 'copy', { slot }: Parameter): string => `next/${kind}/${slot}`
export const RATE = 'rate'
export const CLIP = 'clip'
export const SQUARES = 'squares'

/** A graph of float32 inputs and outputs under construction. */
class DeviceGraph {
  readonly writer = new NodeWriter()
  readonly #inputs: Value[] = []
  readonly #outputs: Value[] = []

  input(name: string, dims: readonly number[]): Value {
    const value: Value = { name: this.writer.names.reserve(name), dims, half: false }
    this.#inputs.push(value)
    return value
  }

  output(name: string, value: Value): void {
    value.name = this.writer.names.reserve(name)
    this.#outputs.push(value)
  }

  node(op: string, ...inputs: readonly Value[]): Value {
    return this.writer.node(op, inputs, inputs[0]!.dims)
  }

  times(x: Value, factor: number): Value {
    return this.node('Mul', x, this.writer.scalar(factor))
  }

  /** Sum of the squares of all elements, a scalar. */
  squares(x: Value): Value {
    return this.writer.node('ReduceSumSquare', [x], [], { attributes: [int('keepdims', 0)] })
  }

  toModel(name: string): Uint8Array {
    const inputs = this.#inputs.map((value) => ({ value, type: 'float32' as const }))
    return serialise(this.writer, name, { inputs, outputs: this.#outputs })
  }
}

/** Builds the graph that brings arrays to the device or back: its outputs are its inputs. */
export function buildCopy(parameters: readonly Parameter[]): Uint8Array {
  const graph = new DeviceGraph()
  for (const parameter of parameters) {
    const input = graph.input(inputName('weights', parameter), parameter.storedShape)
    graph.output(outputName('copy', parameter), graph.node('Identity', input))
  }
  return graph.toModel('copy')
}

/** Builds the graph that adds the gradients of a part of a batch to those of the parts before it. */
export function buildSum(variables: readonly DeviceVariable[]): Uint8Array {
  const graph = new DeviceGraph()
  for (const { parameter } of variables) {
    const sum = graph.input(inputName('sum', parameter), parameter.storedShape)
    const gradient = graph.input(inputName('gradients', parameter), parameter.storedShape)
    graph.output(outputName('sum', parameter), graph.node('Add', sum, gradient))
  }
  return graph.toModel('sum')
}

/** Builds the graph of the sums of squares of the gradients: one output `[variables]`, in their order. */
export function buildSquares(variables: readonly DeviceVariable[]): Uint8Array {
  const graph = new DeviceGraph()
  const { writer } = graph
  const sums = variables.map(({ parameter }) => {
    const squares = graph.squares(graph.input(inputName('gradients', parameter), parameter.storedShape))
    return writer.node('Reshape', [squares, writer.integers([1])], [1])
  })
  graph.output(SQUARES, writer.node('Concat', sums, [sums.length], { attributes: [int('axis', 0)] }))
  return graph.toModel('squares')
}

/** |w| / |update|, or 1 if either is zero: as `trustRatio` of optimizer.ts. */
function trustRatio(graph: DeviceGraph, weights: Value, update: Value): Value {
  const { writer } = graph
  const zero = writer.scalar(0)
  const norms = [weights, update].map((x) => graph.node('Sqrt', graph.squares(x))) as [Value, Value]
  const [first, second] = norms.map((norm) => graph.node('Greater', norm, zero)) as [Value, Value]
  return graph.node('Where', graph.node('And', first, second), graph.node('Div', ...norms), writer.scalar(1))
}

/** Inputs that all variables share, both scalars. */
interface StepScalars {
  readonly rate: Value
  readonly clip: Value
}

function writeUpdate(
  graph: DeviceGraph,
  variable: DeviceVariable,
  settings: OptimizerSettings,
  { rate, clip }: StepScalars,
): void {
  const { parameter, decays, adapts, rateFactor } = variable
  const { beta1, beta2, epsilon, weightDecay, optimizer } = settings
  const input = (kind: Parameters<typeof inputName>[0]): Value =>
    graph.input(inputName(kind, parameter), parameter.storedShape)
  const [weights, m, v] = [input('weights'), input('m'), input('v')]
  const g = graph.node('Mul', input('gradients'), clip)
  const mean = graph.node('Add', graph.times(m, beta1), graph.times(g, 1 - beta1))
  const square = graph.node('Add', graph.times(v, beta2), graph.times(graph.node('Mul', g, g), 1 - beta2))
  const root = graph.node('Add', graph.node('Sqrt', square), graph.writer.scalar(epsilon))
  const moved = graph.node('Div', mean, root)
  const update = decays && weightDecay !== 0 ? graph.node('Add', moved, graph.times(weights, weightDecay)) : moved
  const step = graph.node('Mul', update, graph.times(rate, rateFactor))
  const isScaled = optimizer === 'lamb' && adapts
  const scaled = isScaled ? graph.node('Mul', step, trustRatio(graph, weights, update)) : step
  graph.output(outputName('weights', parameter), graph.node('Sub', weights, scaled))
  graph.output(outputName('m', parameter), mean)
  graph.output(outputName('v', parameter), square)
}

/** Builds the graph of the optimizer's step, as `updateVariable` of optimizer.ts. */
export function buildUpdate(variables: readonly DeviceVariable[], settings: OptimizerSettings): Uint8Array {
  const graph = new DeviceGraph()
  const scalars = { rate: graph.input(RATE, []), clip: graph.input(CLIP, []) }
  for (const variable of variables) writeUpdate(graph, variable, settings, scalars)
  return graph.toModel('update')
}
