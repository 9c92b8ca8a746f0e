import { argmax, crossEntropy } from '../../text/data/numbers.js'
import type { Targets } from './step-batch.js'
import { trainTaskRow, type MetricName, type TrainTask } from './train-tasks.js'

/** Sums over the answers of an evaluation or of training batches. */
export interface Scores {
  readonly task: TrainTask
  readonly classes: number
  /** Answers that count: texts, tokens, or pairs of a text and a class. */
  count: number
  right: number
  loss: number
  /** Multi-label: true positives, predicted and actual ones. */
  hits: number
  predicted: number
  actual: number
  /** Regression: sums of x, y, x², y², xy. */
  readonly moments: Float64Array
  /** Number of predictions of each class. */
  readonly byClass: Float64Array
}

export const newScores = (task: TrainTask, classes: number): Scores => ({
  task,
  classes,
  count: 0,
  right: 0,
  loss: 0,
  hits: 0,
  predicted: 0,
  actual: 0,
  moments: new Float64Array(5),
  byClass: new Float64Array(classes),
})

function addSoftmax(scores: Scores, logits: Float32Array, { data }: Targets): void {
  const { classes } = scores
  for (let at = 0; at < logits.length; at += classes) {
    const row = logits.subarray(at, at + classes)
    const label = data.subarray(at, at + classes).indexOf(1)
    if (label === -1) continue
    const best = argmax(row)
    scores.loss += crossEntropy(row, label)
    scores.count++
    scores.byClass[best]!++
    if (best === label) scores.right++
  }
}

function addSigmoid(scores: Scores, logits: Float32Array, { data }: Targets): void {
  logits.forEach((x, i) => {
    const target = data[i]!
    const isPredicted = x > 0
    scores.loss += Math.max(x, 0) - x * target + Math.log1p(Math.exp(-Math.abs(x)))
    scores.count++
    if (isPredicted === (target === 1)) scores.right++
    if (isPredicted) scores.byClass[i % scores.classes]!++
    scores.predicted += isPredicted ? 1 : 0
    scores.actual += target
    scores.hits += isPredicted ? target : 0
  })
}

function addSquared(scores: Scores, logits: Float32Array, { data }: Targets): void {
  const { moments } = scores
  logits.forEach((x, i) => {
    const y = data[i]!
    scores.loss += (x - y) ** 2
    scores.count++
    ;[x, y, x * x, y * y, x * y].forEach((term, k) => (moments[k]! += term))
  })
}

/** Adds spans: an answer is right if its start and its end are. */
function addSpans(scores: Scores, [starts, ends]: readonly Float32Array[], [first, last]: readonly Targets[]): void {
  const [rows = 0, length = 1] = first!.dims
  for (let row = 0; row < rows; row++) {
    const own = [starts!, ends!].map((logits, i) => {
      const part = newScores(scores.task, length)
      const data = (i === 0 ? first! : last!).data.subarray(row * length, (row + 1) * length)
      addSoftmax(part, logits.subarray(row * length, (row + 1) * length), { dims: [1, length], data })
      return part
    })
    scores.count++
    scores.loss += (own[0]!.loss + own[1]!.loss) / 2
    scores.right += Math.min(own[0]!.right, own[1]!.right)
  }
}

/** Adds the logits of a batch to the sums. */
export function addScores(scores: Scores, logits: readonly Float32Array[], targets: readonly Targets[]): void {
  const { loss } = trainTaskRow(scores.task)
  if (loss === 'spans') {
    addSpans(scores, logits, targets)
    return
  }
  const add = { softmax: addSoftmax, sigmoid: addSigmoid, squared: addSquared }
  add[loss](scores, logits[0]!, targets[0]!)
}

/** Pearson's correlation; 0 if either side does not vary. */
function correlation({ moments, count: n }: Scores): number {
  const [x = 0, y = 0, xx = 0, yy = 0, xy = 0] = moments
  const spread = Math.sqrt((xx - (x * x) / n) * (yy - (y * y) / n))
  return spread > 0 ? (xy - (x * y) / n) / spread : 0
}

/** Metrics of a task by name. */
export function metricsOf(scores: Scores): Partial<Record<MetricName, number>> {
  const { count, right, loss, hits, predicted, actual } = scores
  const mean = loss / count
  const all: Record<MetricName, () => number> = {
    accuracy: () => right / count,
    f1: () => (predicted + actual === 0 ? 0 : (2 * hits) / (predicted + actual)),
    mse: () => mean,
    pearson: () => correlation(scores),
    loss: () => mean,
  }
  return Object.fromEntries(trainTaskRow(scores.task).metrics.map((name) => [name, all[name]()]))
}
