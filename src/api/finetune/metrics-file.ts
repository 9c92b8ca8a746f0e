import { join } from 'node:path'
import { utf8Bytes } from '../../base/bytes.js'
import { makeFolders, OutputFile, writing } from '../../files/output-file.js'
import { writes } from '../../files/write-port.js'
import { frameRecord } from '../../formats/tf-record.js'
import type { EvaluationPoint, StepReport } from './report.js'
import { eventBytes } from './tensorboard.js'

export const METRICS_FILE = 'metrics.jsonl'
/** Its name during training. */
export const UNFINISHED_METRICS = `${METRICS_FILE}.part`

/** Line of a step or an evaluation; without times, so that the same seed gives the same file. */
export const stepJson = (step: StepReport): string => JSON.stringify(step)
export const evaluationJson = ({ step, metrics, best }: EvaluationPoint): string =>
  JSON.stringify({ step, dev: metrics, best })

/**
 * Files that grow during training: `metrics.jsonl.part` in the output directory, which gets its name together with the
 * trained model, and a TensorBoard event file.
 */
export class MetricsFile {
  readonly #lines: OutputFile
  readonly #events: OutputFile | null
  #open = true

  /** Writes what an interrupted run has reached already. @throws AlbertkitError `output` */
  constructor(
    readonly directory: string,
    tensorboard: string | undefined,
  ) {
    makeFolders(directory)
    this.#lines = new OutputFile(this.#part, 'w')
    if (tensorboard === undefined) this.#events = null
    else {
      makeFolders(tensorboard)
      const seconds = Math.floor(Date.now() / 1000)
      this.#events = new OutputFile(join(tensorboard, `events.out.tfevents.${seconds}.albertkit`), 'w')
      this.#events.write(frameRecord(eventBytes({ step: 0, version: true, values: {} })))
    }
  }

  step(step: StepReport): void {
    this.#lines.write(utf8Bytes(`${stepJson(step)}\n`))
    const { loss, gradientNorm, learningRate } = step
    this.#event(step.step, { loss, gradient_norm: gradientNorm, learning_rate: learningRate })
  }

  evaluation(point: EvaluationPoint): void {
    this.#lines.write(utf8Bytes(`${evaluationJson(point)}\n`))
    this.#event(
      point.step,
      Object.fromEntries(Object.entries(point.metrics).map(([name, value]) => [`eval_${name}`, value])),
    )
  }

  #event(step: number, values: Readonly<Record<string, number>>): void {
    this.#events?.write(frameRecord(eventBytes({ step, version: false, values })))
  }

  get #part(): string {
    return join(this.directory, UNFINISHED_METRICS)
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#lines.close()
    this.#events?.close()
  }

  /** Moves `metrics.jsonl` to the other files of the trained model. @throws AlbertkitError `output` */
  moveTo(staging: string): void {
    this.close()
    writing(this.#part, () => {
      writes.rename(this.#part, join(staging, METRICS_FILE))
    })
  }

  /** Removes the file of a run that failed. */
  discard(): void {
    this.close()
    writes.remove(this.#part)
  }
}
