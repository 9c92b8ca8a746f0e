import type { GpuOptions } from '../../runtime/gpu/adapter.js'
import type { GraphResults } from '../../runtime/onnx/graph-session.js'
import type { OnnxGpuName } from '../../runtime/onnx/onnxruntime-gpu.js'
import type { Parameter } from '../../model/albert.js'
import type { HeadSelection } from '../../model/tasks.js'
import type { DropoutRates } from '../../training/dropout-sites.js'
import type { GradientOutput, GradientsGraph } from '../../training/graphs.js'
import type { LossKind } from '../../training/loss.js'
import type { OptimizerSettings, TrainedVariable } from '../../training/optimizer.js'
import type { VariableRules } from '../../training/rules.js'
import type { StepBatch } from './step-batch.js'

export interface TrainerOptions {
  readonly heads: HeadSelection
  readonly loss: LossKind
  readonly settings: OptimizerSettings
  readonly rules: VariableRules
  /** Parameters that are kept as they are. */
  readonly frozen?: ReadonlySet<Parameter>
  /** Factors of the learning rate; 1 if absent. */
  readonly rateFactors?: ReadonlyMap<Parameter, number>
  readonly dropout?: DropoutRates
  /** Fills the mask of site `index` for a step and a part of its batch. */
  readonly fillMask?: (mask: Uint8Array, site: { index: number; threshold: number; step: number; part: number }) => void
  /** A GPU instead of the CPU. */
  readonly gpu?: { readonly name: OnnxGpuName; readonly options: GpuOptions } | undefined
  /** Threads inside an operation; 1 by default. The result may depend on it. */
  readonly threads?: number
  /** True if steps take long: on the CPU they then run in a process of their own, which Ctrl-C can end. */
  readonly apart?: boolean
  /** Parts of a batch that are computed at once; 1 by default. The result does not depend on it. */
  readonly lanes?: number
}

/** Result of a step. */
export interface StepResult {
  readonly loss: number
  /** Global norm of the gradients before clipping. */
  readonly gradientNorm: number
  /** Logits of each part of the batch. */
  readonly logits: readonly (readonly Float32Array[])[]
}

/** A trainable parameter with its state. */
export interface TrainedParameter extends TrainedVariable {
  readonly parameter: Parameter
  readonly output: GradientOutput
}

/** Trains a model step by step: onnxruntime runs the graph of loss and gradients, an optimizer updates the weights. */
export interface Trainer {
  readonly graph: GradientsGraph
  /** Runtime, version and device. */
  readonly detail: string
  /** Trained parameters; their arrays hold the present state after `sync`. */
  readonly trained: readonly TrainedParameter[]
  /**
   * Computes loss and gradients of a batch, given in parts.
   * @param step number of the step, from 0; with dropout it decides the masks
   */
  computeGradients(parts: readonly StepBatch[], step: number): Promise<StepResult>
  /** Gradients that were computed last, before clipping, in the stored order. Not after `update`. */
  readGradients(): Promise<ReadonlyMap<Parameter, Float32Array>>
  /** Updates the weights by the gradients that were computed last. */
  update(rate: number, gradientNorm: number): Promise<void>
  /** Brings weights and the optimizer's state into the arrays of `trained`. */
  sync(): Promise<void>
  close(): Promise<void>
}

/** Global norm of the gradients of a step, of several parts of a batch. */
export class GradientNorm {
  /** Sums of squares of the rows that were looked up, each occurrence by itself, as TensorFlow's clipping has them. */
  readonly #lookups = new Map<Parameter, number>()

  constructor(
    readonly trained: readonly TrainedParameter[],
    readonly rules: VariableRules,
  ) {}

  /** @param results of the graph of the gradients for a part */
  add(results: GraphResults): void {
    for (const { parameter, output } of this.trained) {
      const { lookupSquares } = output
      if (lookupSquares === null || !this.rules.isLookup(parameter)) continue
      this.#lookups.set(parameter, (this.#lookups.get(parameter) ?? 0) + results[lookupSquares]!.data[0]!)
    }
  }

  /** @param squaresOf sum of squares of the gradient of the trained parameter `i` */
  norm(squaresOf: (i: number) => number): number {
    const squares = this.trained.map(({ parameter }, i) => this.#lookups.get(parameter) ?? squaresOf(i))
    return Math.sqrt(squares.reduce((a, b) => a + b, 0))
  }
}

/** State of the parameters that a graph gives gradients of, before the first step. */
export const newState = (
  graph: GradientsGraph,
  values: ReadonlyMap<Parameter, Float32Array>,
  { rules, rateFactors }: TrainerOptions,
): TrainedParameter[] =>
  graph.gradients.map((output) => {
    const { parameter } = output
    const own = valuesOf(values, parameter)
    return {
      parameter,
      output,
      values: own,
      m: new Float32Array(own.length),
      v: new Float32Array(own.length),
      decays: rules.decays(parameter),
      adapts: rules.adapts(parameter),
      rateFactor: rateFactors?.get(parameter) ?? 1,
    }
  })

export function valuesOf(values: ReadonlyMap<Parameter, Float32Array>, parameter: Parameter): Float32Array {
  const found = values.get(parameter)
  if (found === undefined) throw new RangeError(`no values of ${parameter.slot}`)
  return found
}
