import { interruption } from '../../base/abort.js'
import { onInterrupt } from '../../base/interrupt.js'
import type { Parameter } from '../../model/albert.js'
import { diagnoseCourse, diagnoseNotFinite, type Diagnosis } from '../../training/diagnosis.js'
import { rateOf, type Schedule } from '../../training/schedule.js'
import { AlbertkitError } from '../../base/errors.js'
import type { Evaluator } from './evaluator.js'
import { BatchOrder, makeBatch, type TargetSet } from './make-batch.js'
import type { EvaluationPoint, StepReport, TrainEvents } from './report.js'
import { addScores, metricsOf, newScores, type Scores } from './scores.js'
import type { BestWeights, Progress } from './state.js'
import type { StateSaver } from './state-saver.js'
import type { StepBatch } from './step-batch.js'
import type { Trainer } from './trainer.js'
import { isLowerBetter, type MetricName } from './train-tasks.js'

export interface LoopPlan {
  readonly trainer: Trainer
  readonly train: TargetSet
  readonly dev: TargetSet | null
  readonly evaluator: Evaluator | null
  readonly schedule: Schedule
  readonly totalSteps: number
  readonly batchSize: number
  readonly accumulate: number
  readonly seed: number
  readonly evalEvery: number
  readonly metric: MetricName
  readonly patience: number
  /** Loss of guessing labels by their frequency; null for a regression. */
  readonly guessing: number | null
  readonly events: TrainEvents
  readonly signal: AbortSignal | undefined
  readonly saver: StateSaver
  /** Path of the first operation with a result that is not finite, for a batch of these examples. */
  readonly locate: (rows: readonly number[]) => Promise<string | null>
}

/** Losses that a diagnosis looks at. */
const LOSSES = 25

/** Parts of a batch. */
const PARTS = 4

/** Time for saving after a signal: with the rest, the process ends within a second. */
const SAVE_MS = 600

/** Window of the moving mean of examples per second, in steps. */
const SPEED_WINDOW = 20

/** Runs the remaining steps of a training run. */
export class TrainingLoop {
  readonly diagnoses: Diagnosis[] = []
  /** Scores of the last evaluation. */
  lastScores: Scores | null = null
  readonly #order: BatchOrder
  readonly #times: number[] = []
  #stopping = false
  #updating: Promise<void> = Promise.resolve()

  constructor(
    readonly plan: LoopPlan,
    readonly progress: Progress,
    public best: BestWeights | null,
  ) {
    this.#order = new BatchOrder(plan.train.examples.length, plan.seed)
  }

  /**
   * @returns false if a loss was not finite
   * @throws AlbertkitError `interrupted` by the signal of the options, after the state was saved
   */
  async run(): Promise<boolean> {
    // Until the process ends or the result is written: see `forget`.
    this.forget = onInterrupt(() => this.#saveAtOnce())
    try {
      // The run may have been interrupted between a step and its evaluation.
      if (this.#isEvaluationDue && this.progress.evaluations.at(-1)?.step !== this.progress.step) await this.#evaluate()
      while (this.progress.step < this.plan.totalSteps && !this.#isPatienceOver) {
        const { signal, saver } = this.plan
        if (signal?.aborted === true) {
          await saver.save(this.progress, this.best)
          this.#tellSaved(this.progress.step)
          throw interruption(signal)
        }
        if (!(await this.#step())) return false
        if (saver.isDue && this.progress.step < this.plan.totalSteps) await this.#snapshot()
      }
      return true
    } catch (error) {
      this.forget()
      const { saved } = this.plan.saver
      if (!(error instanceof AlbertkitError && error.kind === 'interrupted') && saved !== null) this.#tellSaved(saved)
      throw error
    }
  }

  /** Takes back that the state is saved on a signal. */
  forget: () => void = () => undefined

  /** Tells what `resume` would continue from. */
  #tellSaved(step: number): void {
    this.plan.events.onNote?.(`the run is saved after step ${step}: \`resume\` continues it`)
  }

  /** Saves the state during the run, which goes on if that fails. */
  async #snapshot(): Promise<void> {
    try {
      await this.plan.saver.snapshot(this.progress, this.best)
    } catch (error) {
      if (!(error instanceof AlbertkitError) || error.kind === 'interrupted') throw error
      this.plan.events.onNote?.(`the run goes on, but its state is not saved: ${error.message}`)
    }
  }

  /** Saves the state after a signal. */
  async #saveAtOnce(): Promise<void> {
    this.#stopping = true
    const { saver, events } = this.plan
    try {
      const state = () => ({ progress: this.progress, best: this.best })
      const saved = await saver.saveWithin(SAVE_MS, this.#updating, state)
      if (saved !== null) this.#tellSaved(saved)
      else events.onNote?.('the run is too young to be saved in the time that a signal leaves')
    } catch (error) {
      if (!(error instanceof AlbertkitError)) throw error
      events.onNote?.(`the state of the run is not saved: ${error.message}`)
    }
  }

  /** Waits for a computation. After a signal nothing follows it: the state is saved, and the process is about to end. */
  async #computed<T>(computation: Promise<T>): Promise<T> {
    const result = await computation
    if (this.#stopping) await new Promise(() => undefined)
    return result
  }

  get #isEvaluationDue(): boolean {
    const { step } = this.progress
    return step > 0 && (step % this.plan.evalEvery === 0 || step === this.plan.totalSteps)
  }

  /** Adds diagnoses, each code once. */
  diagnose(found: readonly Diagnosis[]): void {
    for (const one of found) {
      if (this.diagnoses.some(({ code }) => code === one.code)) continue
      this.diagnoses.push(one)
      this.plan.events.onDiagnosis?.(one)
    }
  }

  get #isPatienceOver(): boolean {
    return this.progress.sinceBest >= this.plan.patience
  }

  /**
   * Examples of the next step, in parts that are computed separately: always the same ones, for any number of
   * threads, since the sums of a product over a larger batch depend on how onnxruntime cuts it. Texts of similar length
   * are in one part, so that little is computed for padding.
   */
  #rows(): number[][] {
    const { batchSize, accumulate, train } = this.plan
    const count = batchSize * accumulate
    const rows = this.#order.rows(this.progress.step * count, count)
    const length = (row: number): number => train.examples[row]!.features.input_ids.length
    rows.sort((a, b) => length(a) - length(b) || a - b)
    const size = Math.ceil(count / (Math.min(PARTS, batchSize) * accumulate))
    return Array.from({ length: Math.ceil(count / size) }, (_, i) => rows.slice(i * size, (i + 1) * size))
  }

  async #step(): Promise<boolean> {
    const { plan, progress } = this
    const { trainer, train, schedule, totalSteps } = plan
    const started = performance.now()
    const rows = this.#rows()
    const parts = rows.map((one) => makeBatch(train, one))
    const { loss, gradientNorm, logits } = await this.#computed(trainer.computeGradients(parts, progress.step))
    const learningRate = rateOf(progress.step, schedule)
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) {
      this.diagnose([diagnoseNotFinite(progress.step + 1, await plan.locate(rows[0]!))])
      return false
    }
    const report: StepReport = { step: progress.step + 1, loss, gradientNorm, learningRate }
    this.#updating = trainer.update(learningRate, gradientNorm).then(() => {
      progress.step++
      progress.steps.push(report)
    })
    await this.#computed(this.#updating)
    this.#tell(report, this.#score(parts, logits), (performance.now() - started) / 1000)
    this.diagnose(
      diagnoseCourse({
        step: progress.step,
        totalSteps,
        losses: progress.steps.slice(-LOSSES).map((one) => one.loss),
        norms: [gradientNorm],
        guessing: plan.guessing,
      }),
    )
    if (this.#isEvaluationDue) await this.#evaluate()
    return true
  }

  /** Scores of a batch; the accuracy of the last tenth of the steps is that in training. */
  #score(parts: readonly StepBatch[], logits: readonly (readonly Float32Array[])[]): Scores {
    const { plan, progress } = this
    const scores = newScores(plan.train.task, plan.train.classes)
    parts.forEach((part, i) => {
      addScores(scores, logits[i]!, part.targets)
    })
    if (progress.step > 0.9 * plan.totalSteps) {
      progress.trainRight += scores.right
      progress.trainCount += scores.count
    }
    return scores
  }

  #tell(report: StepReport, scores: Scores, seconds: number): void {
    const { totalSteps, batchSize, accumulate, events, train } = this.plan
    this.#times.push(seconds)
    if (this.#times.length > SPEED_WINDOW) this.#times.shift()
    const perStep = this.#times.reduce((a, b) => a + b, 0) / this.#times.length
    events.onStep?.({
      ...report,
      totalSteps,
      accuracy: train.task === 'regression' ? null : scores.right / Math.max(1, scores.count),
      examplesPerSecond: (batchSize * accumulate) / perStep,
      secondsLeft: perStep * (totalSteps - report.step),
    })
  }

  async #evaluate(): Promise<void> {
    const { evaluator, dev, metric, events, trainer } = this.plan
    if (evaluator === null || dev === null) return
    await trainer.sync()
    const scores = await this.#computed(evaluator.evaluate(dev))
    this.lastScores = scores
    const metrics = metricsOf(scores)
    const { progress } = this
    const before = progress.evaluations.findLast(({ best }) => best)?.metrics[metric]
    const own = metrics[metric] ?? NaN
    const best = before === undefined || (isLowerBetter(metric) ? own < before : own > before)
    const point: EvaluationPoint = { step: progress.step, metrics, best }
    progress.evaluations.push(point)
    progress.sinceBest = best ? 0 : progress.sinceBest + 1
    if (best) this.best = copyWeights(trainer)
    events.onEvaluation?.(point)
  }
}

/** A copy of the trained weights. */
function copyWeights(trainer: Trainer): Map<Parameter, Float32Array> {
  return new Map(trainer.trained.map(({ parameter, values }) => [parameter, values.slice()]))
}
