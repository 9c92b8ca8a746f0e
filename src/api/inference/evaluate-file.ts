import { usage } from '../../base/errors.js'
import { join } from 'node:path'
import { addSource, keepSources, refuseSources } from '../../base/sources.js'
import { refuseExisting, refuseSame, WholeFile } from '../../files/atomic-file.js'
import { compareModels } from './compare.js'
import type { EvaluationReport, OtherEvaluationReport } from './report.js'
import { missedScores, type EvaluationBudget } from './budget.js'
import { ErrorsFile, refuseExistingErrors } from './errors-file.js'
import { evalResults, evaluate } from './evaluate.js'
import { openForReading, tellListener, type FileProgress, type Listener, type TextJob } from './job.js'
import { predictions, textAnswers, type Piece } from './piece.js'
import { evaluateAnswers } from './qa/evaluate-answers.js'
import { evaluateTags } from './tags/evaluate-tags.js'
import type { ClassReading } from '../../model/problem-type.js'
import { taskRow, type OutputReading } from '../../model/tasks.js'
import type { PassageAnswer } from './qa/predict-answers.js'
import type { Tagging } from './tags/predict-tags.js'
import { isBad, type BadLine } from '../../text/data/examples.js'
import { evaluateLabels } from './evaluate-labels.js'
import { evaluateValues } from './evaluate-values.js'
import { labelsFor, type Prediction } from './predict.js'
import type { TextModel } from './text-model.js'

export interface EvaluateFileOptions extends EvaluationBudget {
  /** Path of another model; lines that the two label differently are reported. */
  readonly compare?: string | undefined
  /** Path for the lines that cannot be used. */
  readonly errors?: string | undefined
  /** Paths that the caller will write, `eval_results.txt` and charts; checked before anything is computed. */
  readonly results?: string | undefined
  readonly svg?: string | undefined
  readonly png?: string | undefined
  readonly report?: string | undefined
  /** Replace existing files. */
  readonly force?: boolean | undefined
}

/** Reads predictions up to the first answer, which has the reading of the model's logits, and yields all of them. */
async function withReading(
  all: AsyncGenerator<Prediction | BadLine>,
): Promise<{ reading: ClassReading; predictions: AsyncGenerator<Prediction | BadLine> }> {
  const first: (Prediction | BadLine)[] = []
  for (let next = await all.next(); next.done !== true; next = await all.next()) {
    first.push(next.value)
    if (!isBad(next.value)) break
  }
  const answer = first.at(-1)
  async function* predictionsOf(): AsyncGenerator<Prediction | BadLine> {
    yield* first
    yield* all
  }
  return {
    reading: answer === undefined || isBad(answer) ? 'softmax' : answer.reading,
    predictions: predictionsOf(),
  }
}

const KINDS: Readonly<Record<OutputReading, string>> = {
  softmax: 'a classifier',
  vector: 'an encoder',
  value: 'a regression',
  sigmoid: 'a classifier of several labels at once',
  tags: 'a token classifier',
  spans: 'a question-answering model',
}

/** Options that need one label a line, if they are given to a model that is read otherwise. */
function refuseClassOptions(reading: OutputReading, options: EvaluateFileOptions): void {
  const given = (['compare', 'results', 'svg', 'png', 'report'] as const).find((name) => options[name] !== undefined)
  if (given === undefined) return
  const kind = KINDS[reading]
  throw usage(`\`${given}\` needs a classifier of one label a line, and the model is ${kind}`, {
    code: 'option-conflict',
    hint: 'omit it: the report has all scores',
  })
}

interface Reader {
  readonly onBad: (line: BadLine) => void
  readonly labels: (classes: number) => readonly string[]
}

/** Scores of a model whose classes do not exclude each other, or that has none. */
async function evaluateOther(
  model: TextModel,
  reading: 'sigmoid' | 'value',
  all: AsyncIterable<Prediction | BadLine>,
  { onBad, labels }: Reader,
): Promise<OtherEvaluationReport> {
  const scores = reading === 'value' ? await evaluateValues(all, onBad) : await evaluateLabels(all, labels, onBad)
  return { ...scores, notes: model.leftOut, runner: model.detail }
}

/** Scores of a model that tags words or answers questions. */
async function evaluateSpans(
  model: TextModel,
  job: TextJob,
  piece: Piece,
  onBad: (line: BadLine) => void,
): Promise<OtherEvaluationReport> {
  const all = textAnswers(model, job, { ...piece, isLabelled: true })
  const scores =
    model.task === 'qa'
      ? await evaluateAnswers(all as AsyncIterable<PassageAnswer | BadLine>, onBad)
      : await evaluateTags(all as AsyncIterable<Tagging | BadLine>, model.labels, onBad)
  return { ...scores, notes: model.leftOut, runner: model.detail }
}

/**
 * Evaluates a job; with another model, also the lines that the two label differently. A classifier of several labels at
 * once and a regression have other scores.
 * @throws AlbertkitError as `openTextModel` and `evaluate`
 */
export function evaluateFile(
  job: TextJob,
  options: EvaluateFileOptions = {},
  listener: Listener = {},
): Promise<EvaluationReport | OtherEvaluationReport> {
  const { minAccuracy, minF1 } = options
  return keepSources(async () => {
    const report = await evaluateLines(job, options, listener)
    if (minAccuracy === undefined && minF1 === undefined) return report
    return { ...report, missed: missedScores(report, options) }
  })
}

async function evaluateLines(
  job: TextJob,
  options: EvaluateFileOptions,
  listener: Listener,
): Promise<EvaluationReport | OtherEvaluationReport> {
  const { compare, errors: errorsPath, results, svg, png, report, force = false } = options
  addSource(job.input)
  if (compare !== undefined && job.input === '-')
    throw usage('`compare` reads the text twice, so the input must be a file, not standard input', {
      code: 'option-conflict',
    })
  refuseSame({
    'the text': job.input,
    'the file of errors': errorsPath,
    'the file of results': results,
    'the picture': svg,
    'the PNG picture': png,
  })
  // Checked before hours of computing.
  for (const path of [results, svg, png]) if (path !== undefined) refuseExisting(path, force)
  refuseExistingErrors(errorsPath, force)
  const model = await openForReading(job)
  const errors = new ErrorsFile(errorsPath)
  try {
    refuseSources([errorsPath, results, svg, png, report === undefined ? report : join(report, 'index.html')])
    listener.onModel?.(model)
    const onProgress = (p: FileProgress): void => {
      tellListener(listener, p)
    }
    const labels = (classes: number): readonly string[] => labelsFor(model, classes)
    const onBad = (line: BadLine): void => {
      listener.onBad?.(line)
      errors.add(line)
    }
    if (model.task !== 'classify') {
      refuseClassOptions(taskRow(model.task).reading, options)
      const scores = await evaluateSpans(model, job, { onProgress }, onBad)
      errors.commit()
      return scores
    }
    const { reading, predictions: all } = await withReading(predictions(model, job, { onProgress }))
    if (reading !== 'softmax') {
      refuseClassOptions(reading, options)
      const other = await evaluateOther(model, reading, all, { onBad, labels })
      errors.commit()
      return other
    }
    const evaluation = await evaluate(all, labels, onBad)
    const comparison = compare === undefined ? {} : { comparison: await compareModels(model, job, compare) }
    errors.commit()
    const notes = model.leftOut
    return { ...evaluation, notes, runner: model.detail, globalStep: model.globalStep, ...comparison }
  } catch (error) {
    errors.fail(error)
    throw error
  } finally {
    errors.close()
    await model.close()
  }
}

/** Writes `eval_results.txt` as run_classifier does. @throws AlbertkitError `output` */
export function writeEvalResults(report: EvaluationReport, path: string, force = false): void {
  refuseExisting(path, force)
  const file = new WholeFile(path)
  try {
    file.write(Buffer.from(evalResults(report, report.globalStep)))
    file.commit()
  } finally {
    file.discard()
  }
}
