import type { Parameter } from '../../model/albert.js'
import { freeTensor, type GraphResults, type GraphSession, type GraphTensor } from '../../runtime/onnx/graph-session.js'
import { CLIP, inputName, outputName, RATE, SQUARES, VALUES, type ValueKind } from '../../training/device-graphs.js'
import type { GradientsGraph } from '../../training/graphs.js'
import { clipFactor } from '../../training/optimizer.js'
import type { StepBatch } from './step-batch.js'
import { StepFeeds, type PartPlace } from './step-feeds.js'
import {
  GradientNorm,
  newState,
  valuesOf,
  type StepResult,
  type TrainedParameter,
  type Trainer,
  type TrainerOptions,
} from './trainer.js'

/** Sessions of the graphs, all on one device. */
export interface DeviceSessions {
  readonly gradients: GraphSession
  /** Brings the weights of all parameters to the device. */
  readonly weightsIn: GraphSession
  /** Brings moments of the trained parameters to the device. */
  readonly stateIn: GraphSession
  /** Brings values of the trained parameters back. */
  readonly out: GraphSession
  readonly sum: GraphSession
  readonly squares: GraphSession
  readonly update: GraphSession
}

type Tensors = Record<string, GraphTensor>

const free = (tensors: Readonly<Tensors> | null): void => {
  for (const tensor of Object.values(tensors ?? {})) freeTensor(tensor)
}
const nulls = (names: readonly string[]): Record<string, null> => Object.fromEntries(names.map((name) => [name, null]))

/** Copies arrays to the device. */
async function copyIn(
  session: GraphSession,
  kind: ValueKind,
  arrays: readonly (readonly [Parameter, Float32Array])[],
): Promise<Tensors> {
  const feeds = arrays.map(([p, data]) => [inputName('weights', p), session.floats(data, p.storedShape)])
  const copies: Readonly<Tensors> = await session.run(
    Object.fromEntries(feeds) as Tensors,
    nulls(arrays.map(([p]) => outputName('copy', p))),
  )
  return Object.fromEntries(arrays.map(([p]) => [inputName(kind, p), copies[outputName('copy', p)]!]))
}

/**
 * Trains with weights, gradients and the optimizer's state on a GPU: the outputs of a step are inputs of the next one,
 * and only ids, masks, loss and logits travel.
 */
export class DeviceTrainer implements Trainer {
  readonly trained: readonly TrainedParameter[]
  readonly #feeds: StepFeeds
  readonly #masks: Uint8Array[] = []
  /** Values on the device by `kind/slot`; null until the first step, which takes the arrays as they are then. */
  #state: Tensors | null = null
  /** Gradients on the device by slot. */
  #gradients: Tensors | null = null

  /** @param values weights in their stored order; `sync` writes into those that are trained */
  constructor(
    readonly graph: GradientsGraph,
    readonly sessions: DeviceSessions,
    readonly values: ReadonlyMap<Parameter, Float32Array>,
    readonly options: TrainerOptions,
  ) {
    this.#feeds = new StepFeeds(sessions.gradients, graph, options)
    this.trained = newState(graph, values, options)
  }

  get detail(): string {
    return this.sessions.gradients.detail
  }

  async #start(): Promise<Tensors> {
    const { weightsIn, stateIn } = this.sessions
    const weights = this.graph.parameters.map((p) => [p, valuesOf(this.values, p)] as const)
    return {
      ...(await copyIn(weightsIn, 'weights', weights)),
      ...(await copyIn(
        stateIn,
        'm',
        this.trained.map(({ parameter, m }) => [parameter, m]),
      )),
      ...(await copyIn(
        stateIn,
        'v',
        this.trained.map(({ parameter, v }) => [parameter, v]),
      )),
    }
  }

  /** Reads values of the trained parameters from the device. */
  async #copyOut(tensorOf: (parameter: Parameter) => GraphTensor): Promise<Map<Parameter, Float32Array>> {
    const parameters = this.trained.map(({ parameter }) => parameter)
    const feeds = Object.fromEntries(parameters.map((p) => [inputName('weights', p), tensorOf(p)]))
    const result = await this.sessions.out.run(feeds, nulls(parameters.map((p) => outputName('copy', p))))
    return new Map(parameters.map((p) => [p, result[outputName('copy', p)]!.data]))
  }

  async computeGradients(parts: readonly StepBatch[], step: number): Promise<StepResult> {
    this.#state ??= await this.#start()
    free(this.#gradients)
    this.#gradients = null
    const total = parts.reduce((sum, { count }) => sum + count, 0)
    const norm = new GradientNorm(this.trained, this.options.rules)
    const logits: Float32Array[][] = []
    let loss = 0
    for (const [part, batch] of parts.entries()) {
      const result = await this.#runPart(batch, { step, part, total })
      loss += result[this.graph.loss]!.data[0]!
      logits.push(this.graph.logits.map((name) => result[name]!.data))
      norm.add(result)
      await this.#addGradients(result)
    }
    const sums = await this.sessions.squares.run(this.#gradientFeeds(), { [SQUARES]: null })
    return { loss, gradientNorm: norm.norm((i) => sums[SQUARES]!.data[i]!), logits }
  }

  async #runPart(batch: StepBatch, place: PartPlace): Promise<GraphResults> {
    const { gradients: session } = this.sessions
    const weights = Object.fromEntries(
      this.graph.parameters.map((p) => [p.slot, this.#state![inputName('weights', p)]!]),
    )
    const { loss, logits } = this.graph
    const outputs = this.trained.flatMap(({ output: { output, lookupSquares } }) =>
      lookupSquares === null ? [output] : [output, lookupSquares],
    )
    return session.run(
      { ...weights, ...(await this.#feeds.of(batch, this.#masks, place)) },
      nulls([loss, ...logits, ...outputs]),
    )
  }

  async #addGradients(result: Readonly<Tensors>): Promise<void> {
    const found = Object.fromEntries(
      this.trained.map(({ parameter, output }) => [parameter.slot, result[output.output]!]),
    )
    const before = this.#gradients
    if (before === null) {
      this.#gradients = found
      return
    }
    const feeds: Tensors = {}
    for (const { parameter } of this.trained) {
      feeds[inputName('sum', parameter)] = before[parameter.slot]!
      feeds[inputName('gradients', parameter)] = found[parameter.slot]!
    }
    const names = this.trained.map(({ parameter }) => outputName('sum', parameter))
    const sums: Readonly<Tensors> = await this.sessions.sum.run(feeds, nulls(names))
    free(before)
    free(found)
    this.#gradients = Object.fromEntries(
      this.trained.map(({ parameter }) => [parameter.slot, sums[outputName('sum', parameter)]!]),
    )
  }

  #gradientFeeds(): Tensors {
    const gradients = this.#gradients ?? {}
    return Object.fromEntries(this.trained.map(({ parameter: p }) => [inputName('gradients', p), gradients[p.slot]!]))
  }

  readGradients(): Promise<ReadonlyMap<Parameter, Float32Array>> {
    return this.#copyOut(({ slot }) => this.#gradients![slot]!)
  }

  async update(rate: number, gradientNorm: number): Promise<void> {
    const { update } = this.sessions
    const state = this.#state!
    const { clipNorm } = this.options.settings
    const scalar = (value: number): GraphTensor => update.floats(Float32Array.of(value), [])
    const feeds: Tensors = {
      ...this.#gradientFeeds(),
      [RATE]: scalar(rate),
      [CLIP]: scalar(clipFactor(gradientNorm, clipNorm)),
    }
    const changed = this.trained.flatMap(({ parameter }) => VALUES.map((kind) => [kind, parameter] as const))
    for (const [kind, parameter] of changed) feeds[inputName(kind, parameter)] = state[inputName(kind, parameter)]!
    const next: Readonly<Tensors> = await update.run(feeds, nulls(changed.map(([kind, p]) => outputName(kind, p))))
    for (const [kind, parameter] of changed) {
      freeTensor(state[inputName(kind, parameter)]!)
      state[inputName(kind, parameter)] = next[outputName(kind, parameter)]!
    }
    free(this.#gradients)
    this.#gradients = null
  }

  async sync(): Promise<void> {
    const state = this.#state
    if (state === null) return
    for (const kind of VALUES) {
      const found = await this.#copyOut((parameter) => state[inputName(kind, parameter)]!)
      for (const { parameter, values, m, v } of this.trained)
        ({ weights: values, m, v })[kind].set(found.get(parameter)!)
    }
  }

  async close(): Promise<void> {
    free(this.#gradients)
    free(this.#state)
    for (const session of Object.values(this.sessions) as GraphSession[]) await session.close()
  }
}
