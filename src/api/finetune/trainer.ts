import type { GraphSession, GraphTensor } from '../../runtime/onnx/graph-session.js'
import { openGraph } from '../../runtime/onnx/graph-session.js'
import { gpuProvider, type OnnxGpuName } from '../../runtime/onnx/onnxruntime-gpu.js'
import type { GpuOptions } from '../../runtime/gpu/adapter.js'
import type { AlbertModel, Parameter } from '../../model/albert.js'
import { inputShape } from '../../model/reference/run.js'
import type { HeadSelection } from '../../model/tasks.js'
import type { DropoutRates } from '../../training/dropout-sites.js'
import { buildGradients, type GradientOutput, type GradientsGraph } from '../../training/graphs.js'
import { END_TARGETS, SCALE, TARGETS, type LossKind } from '../../training/loss.js'
import {
  clipFactor,
  sumOfSquares,
  updateVariable,
  type OptimizerSettings,
  type TrainedVariable,
} from '../../training/optimizer.js'
import type { VariableRules } from '../../training/rules.js'
import { elementCount } from '../../formats/core/source.js'
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

/** A trainable parameter: its state and its gradient. */
interface Trained extends TrainedVariable {
  readonly output: GradientOutput
  /** Gradient of the whole batch. */
  readonly sum: Float32Array
}

/** Memory of one part of a batch while it is computed. */
interface Lane {
  /** Gradients of the trained parameters, in their order, and the tensors that they are written into. */
  readonly gradients: readonly Float32Array[]
  readonly fetches: Readonly<Record<string, GraphTensor | null>>
  readonly masks: Uint8Array[]
}

/** Sizes of a mask. */
function maskSize(dims: readonly (number | string)[], { batch, sequence }: StepBatch['inputs']): number[] {
  return dims.map((dim) => (typeof dim === 'number' ? dim : dim === 'sequence' ? sequence : batch))
}

/**
 * Trains a model: onnxruntime runs the graph of loss and gradients, on the CPU or a GPU; weights and the optimizer's
 * state are updated in place, in arrays that the tensors share.
 */
export class Trainer {
  readonly #trained: Trained[]
  readonly #weights: Readonly<Record<string, GraphTensor>>
  readonly #lanes: Lane[]

  private constructor(
    readonly graph: GradientsGraph,
    readonly session: GraphSession,
    readonly values: ReadonlyMap<Parameter, Float32Array>,
    readonly options: TrainerOptions,
  ) {
    const { rules, rateFactors } = options
    this.#weights = Object.fromEntries(
      graph.parameters.map((p) => [p.slot, session.floats(valuesOf(values, p), p.storedShape)]),
    )
    this.#trained = graph.gradients.map((output): Trained => {
      const { parameter } = output
      const own = valuesOf(values, parameter)
      return {
        output,
        values: own,
        m: new Float32Array(own.length),
        v: new Float32Array(own.length),
        decays: rules.decays(parameter),
        adapts: rules.adapts(parameter),
        rateFactor: rateFactors?.get(parameter) ?? 1,
        sum: new Float32Array(own.length),
      }
    })
    this.#lanes = Array.from({ length: options.lanes ?? 1 }, () => this.#makeLane())
  }

  /**
   * @param values weights in their stored order; changed by training
   * @throws AlbertkitError `environment` if onnxruntime is not installed
   */
  static async open(
    model: AlbertModel,
    values: ReadonlyMap<Parameter, Float32Array>,
    options: TrainerOptions,
  ): Promise<Trainer> {
    const { heads, loss, frozen, dropout, threads = 1 } = options
    const graph = buildGradients(model, {
      heads,
      loss,
      isTrainable: (parameter) => frozen?.has(parameter) !== true,
      ...(dropout === undefined ? {} : { dropout }),
    })
    const { gpu } = options
    const provider = gpu === undefined ? {} : { provider: await gpuProvider(gpu.name, gpu.options) }
    return new Trainer(graph, await openGraph(graph.bytes, 'gradients', { threads, ...provider }), values, options)
  }

  /** Trained parameters and their state. */
  get trained(): readonly (TrainedVariable & { readonly parameter: Parameter })[] {
    return this.#trained.map((one) => ({ ...one, parameter: one.output.parameter }))
  }

  /** Gradients of the last step before clipping, in the stored order. */
  get gradients(): ReadonlyMap<Parameter, Float32Array> {
    return new Map(this.#trained.map(({ output, sum }) => [output.parameter, sum]))
  }

  /**
   * Computes loss and gradients of a batch, given in parts.
   * @param step number of the step, from 0; with dropout it decides the masks
   */
  async computeGradients(parts: readonly StepBatch[], step: number): Promise<StepResult> {
    const total = parts.reduce((sum, { count }) => sum + count, 0)
    const squares = new Map<Trained, number>()
    const logits: Float32Array[][] = []
    let loss = 0
    for (let first = 0; first < parts.length; first += this.#lanes.length) {
      const results = await Promise.all(
        this.#lanes.slice(0, parts.length - first).map(async (lane, i) => {
          const part = first + i
          const feeds = this.#feeds(parts[part]!, lane, { step, part, total })
          return { lane, result: await this.session.run(feeds, lane.fetches) }
        }),
      )
      // Always added in the order of the parts, however many are computed at once.
      results.forEach(({ lane, result }, i) => {
        loss += result[this.graph.loss]!.data[0]!
        logits.push(this.graph.logits.map((name) => result[name]!.data))
        this.#trained.forEach((one, k) => {
          addGradient(one.sum, lane.gradients[k]!, first + i === 0)
          const { lookupSquares, parameter } = one.output
          if (lookupSquares === null || !this.options.rules.isLookup(parameter)) return
          squares.set(one, (squares.get(one) ?? 0) + result[lookupSquares]!.data[0]!)
        })
      })
    }
    const norm = Math.sqrt(this.#trained.reduce((sum, one) => sum + (squares.get(one) ?? sumOfSquares(one.sum)), 0))
    return { loss, gradientNorm: norm, logits }
  }

  /** Updates the weights by the gradients that were computed last. */
  update(rate: number, gradientNorm: number): void {
    const { settings } = this.options
    const clip = clipFactor(gradientNorm, settings.clipNorm)
    for (const one of this.#trained) updateVariable(one, one.sum, settings, { rate, clip })
  }

  close(): Promise<void> {
    return this.session.close()
  }

  #makeLane(): Lane {
    const { loss, logits } = this.graph
    const fetches: Record<string, GraphTensor | null> = { [loss]: null }
    for (const name of logits) fetches[name] = null
    const gradients = this.#trained.map(({ output, values }) => {
      const gradient = new Float32Array(values.length)
      fetches[output.output] = this.session.floats(gradient, output.parameter.storedShape)
      if (output.lookupSquares !== null) fetches[output.lookupSquares] = null
      return gradient
    })
    return { gradients, fetches, masks: [] }
  }

  #feeds(
    { inputs, targets }: StepBatch,
    lane: Lane,
    { step, part, total }: { step: number; part: number; total: number },
  ): Record<string, GraphTensor> {
    const { session, graph } = this
    const feeds: Record<string, GraphTensor> = {
      ...this.#weights,
      ...inputFeeds(session, inputs, this.options.heads.classifier && inputs.choices !== undefined),
      [SCALE]: session.floats(Float32Array.of(1 / total), []),
    }
    targets.forEach(({ data, dims }, i) => {
      feeds[i === 0 ? TARGETS : END_TARGETS] = session.floats(data, dims)
    })
    graph.sites.forEach(({ input, dims, threshold }, index) => {
      const size = maskSize(dims, inputs)
      const mask = maskOf(lane, index, elementCount(size))
      this.options.fillMask?.(mask, { index, threshold, step, part })
      feeds[input] = session.bytes(mask, size)
    })
    return feeds
  }
}

/** Adds a gradient to a sum, or sets it. */
function addGradient(sum: Float32Array, gradient: Float32Array, isFirst: boolean): void {
  if (isFirst) sum.set(gradient)
  else for (let i = 0; i < sum.length; i++) sum[i]! += gradient[i]!
}

/** A mask of a site, in memory that is kept from step to step. */
function maskOf({ masks }: Lane, index: number, length: number): Uint8Array {
  let mask = masks[index]
  if (mask === undefined || mask.length < length) masks[index] = mask = new Uint8Array(length)
  return mask.subarray(0, length)
}

/** Tensors of the three integer inputs. */
export function inputFeeds(
  session: GraphSession,
  inputs: StepBatch['inputs'],
  asChoices: boolean,
): Record<string, GraphTensor> {
  const dims = inputShape(inputs, asChoices)
  return {
    input_ids: session.ids(inputs.input_ids, dims),
    attention_mask: session.ids(inputs.attention_mask, dims),
    token_type_ids: session.ids(inputs.token_type_ids, dims),
  }
}

function valuesOf(values: ReadonlyMap<Parameter, Float32Array>, parameter: Parameter): Float32Array {
  const found = values.get(parameter)
  if (found === undefined) throw new RangeError(`no values of ${parameter.slot}`)
  return found
}
