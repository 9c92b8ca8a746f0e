import type { Graph, GraphTensor } from '../../runtime/onnx/graph-session.js'
import { Turns } from '../../base/yield.js'
import type { Parameter } from '../../model/albert.js'
import type { GradientsGraph } from '../../training/graphs.js'
import { clipFactor, sumOfSquares, updateVariable } from '../../training/optimizer.js'
import type { StepBatch } from './step-batch.js'
import { StepFeeds } from './step-feeds.js'
import {
  GradientNorm,
  newState,
  valuesOf,
  type StepResult,
  type TrainedParameter,
  type Trainer,
  type TrainerOptions,
} from './trainer.js'

/** A trained parameter, and its gradient of the whole batch. */
interface Summed extends TrainedParameter {
  readonly sum: Float32Array
}

/** Memory of one part of a batch while it is computed. */
interface Lane {
  /** Gradients of the trained parameters, in their order, and the tensors that they are written into. */
  readonly gradients: readonly Float32Array[]
  readonly fetches: Readonly<Record<string, GraphTensor | null>>
  readonly masks: Uint8Array[]
}

/** Trains with weights and the optimizer's state in arrays that the tensors share, and are updated in place. */
export class HostTrainer implements Trainer {
  readonly trained: readonly Summed[]
  readonly #weights: Readonly<Record<string, GraphTensor>>
  readonly #lanes: Lane[]
  readonly #feeds: StepFeeds

  /** @param values weights in their stored order; changed by training */
  constructor(
    readonly graph: GradientsGraph,
    readonly session: Graph,
    readonly values: ReadonlyMap<Parameter, Float32Array>,
    readonly options: TrainerOptions,
  ) {
    this.#feeds = new StepFeeds(session, graph, options)
    this.#weights = Object.fromEntries(
      graph.parameters.map((p) => [p.slot, session.floats(valuesOf(values, p), p.storedShape)]),
    )
    this.trained = newState(graph, values, options).map((one) => ({ ...one, sum: new Float32Array(one.values.length) }))
    this.#lanes = Array.from({ length: options.lanes ?? 1 }, () => this.#makeLane())
  }

  get detail(): string {
    return this.session.detail
  }

  readGradients(): Promise<ReadonlyMap<Parameter, Float32Array>> {
    return Promise.resolve(new Map(this.trained.map(({ parameter, sum }) => [parameter, sum])))
  }

  async computeGradients(parts: readonly StepBatch[], step: number): Promise<StepResult> {
    const total = parts.reduce((sum, { count }) => sum + count, 0)
    const norm = new GradientNorm(this.trained, this.options.rules)
    const logits: Float32Array[][] = []
    let loss = 0
    const turns = new Turns()
    await this.session.keep(this.#weights)
    for (let first = 0; first < parts.length; first += this.#lanes.length) {
      const results = await Promise.all(
        this.#lanes.slice(0, parts.length - first).map(async (lane, i) => {
          const part = first + i
          const feeds = await this.#feeds.of(parts[part]!, lane.masks, { step, part, total })
          return { lane, result: await this.session.run(feeds, lane.fetches) }
        }),
      )
      // Always added in the order of the parts, however many are computed at once.
      for (const [i, { lane, result }] of results.entries()) {
        loss += result[this.graph.loss]!.data[0]!
        logits.push(this.graph.logits.map((name) => result[name]!.data))
        norm.add(result)
        for (const [k, { sum }] of this.trained.entries()) {
          addGradient(sum, lane.gradients[k]!, first + i === 0)
          await turns.next()
        }
      }
    }
    return { loss, gradientNorm: norm.norm((i) => sumOfSquares(this.trained[i]!.sum)), logits }
  }

  async update(rate: number, gradientNorm: number): Promise<void> {
    const { settings } = this.options
    const clip = clipFactor(gradientNorm, settings.clipNorm)
    const turns = new Turns()
    for (const one of this.trained) {
      updateVariable(one, one.sum, settings, { rate, clip })
      await turns.next()
    }
  }

  sync(): Promise<void> {
    return Promise.resolve()
  }

  close(): Promise<void> {
    return this.session.close()
  }

  #makeLane(): Lane {
    const { loss, logits } = this.graph
    const fetches: Record<string, GraphTensor | null> = { [loss]: null }
    for (const name of logits) fetches[name] = null
    const gradients = this.trained.map(({ output, values }) => {
      const gradient = new Float32Array(values.length)
      fetches[output.output] = this.session.floats(gradient, output.parameter.storedShape)
      if (output.lookupSquares !== null) fetches[output.lookupSquares] = null
      return gradient
    })
    return { gradients, fetches, masks: [] }
  }
}

/** Adds a gradient to a sum, or sets it. */
function addGradient(sum: Float32Array, gradient: Float32Array, isFirst: boolean): void {
  if (isFirst) sum.set(gradient)
  else for (let i = 0; i < sum.length; i++) sum[i]! += gradient[i]!
}
