import { int, type Value } from '../export/onnx/nodes.js'
import type { AlbertModel, Parameter } from '../model/albert.js'
import { forward, takesChoices } from '../model/forward.js'
import type { HeadSelection } from '../model/tasks.js'
import type { DropoutRates, DropoutSite } from './dropout-sites.js'
import { writeLoss, type LossKind } from './loss.js'
import { TrainOps } from './train-ops.js'

/** Names values as outputs; a value that is named already gets an Identity. */
class Outputs {
  readonly values: Value[] = []

  constructor(readonly ops: TrainOps) {}

  add(name: string, value: Value): string {
    const { writer } = this.ops
    const isTaken = this.values.includes(value) || Object.values(this.ops.inputs).includes(value)
    const output = isTaken ? writer.node('Identity', [value], value.dims, { label: `${name}/Identity` }) : value
    output.name = writer.names.reserve(name)
    this.values.push(output)
    return name
  }
}

/** A graph of a training run: ONNX whose weights are inputs, named after their slots. */
export interface WeightedGraph {
  readonly bytes: Uint8Array
  /** Parameters that are inputs, each in its stored shape. */
  readonly parameters: readonly Parameter[]
  /** Outputs with the logits. */
  readonly logits: readonly string[]
}

/** Gradient of a parameter in a graph. */
export interface GradientOutput {
  readonly parameter: Parameter
  /** Output with the gradient, in the stored shape. */
  readonly output: string
  /**
   * Scalar output with the sum of squares of the gradients of the looked-up rows, each occurrence counted by itself;
   * null unless the parameter is only looked up.
   */
  readonly lookupSquares: string | null
}

export interface GradientsGraph extends WeightedGraph {
  /** Output with the loss. */
  readonly loss: string
  readonly gradients: readonly GradientOutput[]
  readonly sites: readonly DropoutSite[]
}

export interface GradientsOptions {
  readonly heads: HeadSelection
  readonly loss: LossKind
  /** True for a parameter that is trained; all by default. */
  readonly isTrainable?: (parameter: Parameter) => boolean
  readonly dropout?: DropoutRates
}

/** Sums of squares of looked-up rows, by parameter; null for one that is looked up more than once or used otherwise. */
function squaresOf(ops: TrainOps, parameter: Parameter): Value | null {
  const own = ops.lookups.filter(({ table }) => table === parameter)
  const [only] = own
  if (only === undefined || own.length > 1) return null
  return ops.writer.node('ReduceSumSquare', [only.rows], [], { attributes: [int('keepdims', 0)] })
}

/**
 * Builds the graph of a training step up to the gradients: loss and logits of a batch, and d loss / d parameter of
 * every trainable parameter that the loss depends on. Any batch size and sequence length.
 */
export function buildGradients(model: AlbertModel, options: GradientsOptions): GradientsGraph {
  const { heads, loss: kind, isTrainable, dropout } = options
  const ops = new TrainOps({
    choices: takesChoices(model, heads),
    normedHead: model.classifier !== null && model.classifier.norm !== null,
    ...(isTrainable === undefined ? {} : { isTrainable }),
    ...(dropout === undefined ? {} : { dropout }),
  })
  const loss = writeLoss(ops, kind, forward(model, ops, ops.inputs, heads))
  ops.tape.run()
  const outputs = new Outputs(ops)
  outputs.add('loss', loss.value)
  const logits = loss.logits.map((value, i) => outputs.add(`logits/${i}`, value))
  const gradients = [...ops.parameters].flatMap(([parameter, value]): GradientOutput[] => {
    const gradient = ops.tape.gradientOf(value)
    if (gradient === null) return []
    const output = outputs.add(`gradients/${parameter.slot}`, gradient)
    const squares = squaresOf(ops, parameter)
    const lookupSquares = squares === null ? null : outputs.add(`lookup_squares/${parameter.slot}`, squares)
    return [{ parameter, output, lookupSquares }]
  })
  const inputs = [
    ...[...loss.targets, loss.scale].map((value) => ({ value, type: 'float32' as const })),
    ...ops.sites.map(({ input, dims }) => ({ value: { name: input, dims }, type: 'uint8' as const })),
  ]
  const bytes = ops.toModel('gradients', outputs.values, inputs)
  return { bytes, parameters: [...ops.parameters.keys()], logits, loss: 'loss', gradients, sites: ops.sites }
}

export interface LogitsGraph extends WeightedGraph {
  /** Outputs with the inner values of the forward pass, in its order, by their paths. */
  readonly inner: Readonly<Record<string, string>>
}

/**
 * Builds the forward pass alone, for evaluation with the weights of a training run.
 * @param inner true if inner values are outputs as well
 */
export function buildLogits(model: AlbertModel, heads: HeadSelection, inner = false): LogitsGraph {
  const ops = new TrainOps({ choices: takesChoices(model, heads), isTrainable: () => false })
  const { logits, start_logits, end_logits } = forward(model, ops, ops.inputs, heads)
  const outputs = new Outputs(ops)
  const found = [logits, start_logits, end_logits].filter((value) => value !== null)
  const names = found.map((value, i) => outputs.add(`logits/${i}`, value))
  const inners = inner ? [...ops.inners].map(([path, value]) => [path, outputs.add(`inner/${path}`, value)]) : []
  const bytes = ops.toModel('logits', outputs.values)
  return {
    bytes,
    parameters: [...ops.parameters.keys()],
    logits: names,
    inner: Object.fromEntries(inners) as Record<string, string>,
  }
}
