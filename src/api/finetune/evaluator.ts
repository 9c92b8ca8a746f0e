import type { AlbertModel, Parameter } from '../../model/albert.js'
import { headsFor } from '../../model/tasks.js'
import { openGraph, type Graph, type GraphTensor } from '../../runtime/onnx/graph-session.js'
import { openGraphApart } from '../../runtime/onnx/process-graph.js'
import { buildLogits, type LogitsGraph } from '../../training/graphs.js'
import { makeBatch, type TargetSet } from './make-batch.js'
import type { StepBatch } from './step-batch.js'
import { addScores, newScores, type Scores } from './scores.js'
import { inputFeeds } from './step-feeds.js'
import { trainTaskRow, type TrainTask } from './train-tasks.js'

/** Rows of a batch of an evaluation. */
const EVAL_BATCH = 32

export interface EvaluatorOptions {
  readonly task: TrainTask
  readonly threads: number
  readonly inner?: boolean
  readonly apart?: boolean
}

/**
 * The forward pass with the weights of a training run, without dropout. Batches are computed at once, each by one
 * thread, so that the scores do not depend on the number of threads.
 */
export class Evaluator {
  private constructor(
    readonly task: TrainTask,
    readonly graph: LogitsGraph,
    readonly session: Graph,
    readonly weights: Readonly<Record<string, GraphTensor>>,
    readonly lanes: number,
  ) {}

  /**
   * @param inner true if `firstNonFinite` is to be used
   * @param apart true if batches take long: they then run in a process of their own, which Ctrl-C can end
   */
  static async open(
    model: AlbertModel,
    values: ReadonlyMap<Parameter, Float32Array>,
    { task, threads, inner = false, apart = false }: EvaluatorOptions,
  ): Promise<Evaluator> {
    const graph = buildLogits(model, headsFor(trainTaskRow(task).task), inner)
    const session = await (apart ? openGraphApart : openGraph)(graph.bytes, 'logits')
    const weights = graph.parameters.map((p) => [p.slot, session.floats(values.get(p)!, p.storedShape)] as const)
    return new Evaluator(task, graph, session, Object.fromEntries(weights), threads)
  }

  /** Scores of all examples of a set. */
  async evaluate(set: TargetSet): Promise<Scores> {
    const scores = newScores(this.task, set.classes)
    const byLength = set.examples.map((_, i) => i)
    const length = (i: number): number => set.examples[i]!.features.input_ids.length
    byLength.sort((a, b) => length(a) - length(b) || a - b)
    const { logits } = this.graph
    await this.session.keep(this.weights)
    const fetches = Object.fromEntries(logits.map((name) => [name, null]))
    const batches: StepBatch[] = []
    for (let at = 0; at < byLength.length; at += EVAL_BATCH)
      batches.push(makeBatch(set, byLength.slice(at, at + EVAL_BATCH)))
    for (let first = 0; first < batches.length; first += this.lanes) {
      const now = batches.slice(first, first + this.lanes)
      const results = await Promise.all(
        now.map(({ inputs }) => {
          return this.session.run(inputFeeds(this.session, inputs, false), fetches)
        }),
      )
      results.forEach((result, i) => {
        const values = logits.map((name) => result[name]!.data)
        addScores(scores, values, now[i]!.targets)
      })
    }
    return scores
  }

  /** Path of the first inner value of the forward pass of a batch that is not finite; null if all are. */
  async firstNonFinite(set: TargetSet, rows: readonly number[]): Promise<string | null> {
    const { inner } = this.graph
    const batch = makeBatch(set, rows)
    await this.session.keep(this.weights)
    const feeds = inputFeeds(this.session, batch.inputs, false)
    const results = await this.session.run(feeds, Object.fromEntries(Object.values(inner).map((name) => [name, null])))
    const found = Object.entries(inner).find(([, name]) => !results[name]!.data.every(Number.isFinite))
    return found?.[0] ?? null
  }

  close(): Promise<void> {
    return this.session.close()
  }
}
