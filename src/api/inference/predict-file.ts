import { refuseExisting, refuseSame } from '../../files/atomic-file.js'
import { addSource, keepSources, refuseSources } from '../../base/sources.js'
import { finishParts, PartFile, type PartState } from '../../sharding/part-file.js'
import type { ShardTask } from '../../sharding/manifest.js'
import { isBad } from '../../text/data/examples.js'
import type { LineRange } from '../../text/data/lines.js'
import { ErrorsFile, finishErrors, refuseExistingErrors } from './errors-file.js'
import { answerFormatter } from './answer-line.js'
import { indexInput, openForReading, type FileProgress, tellListener, type Listener, type TextJob } from './job.js'
import { until } from './pauses.js'
import { textAnswers } from './piece.js'
import type { PredictionFormat } from './predict.js'
import { taskOf } from './shard-task.js'
import type { TextModel } from './text-model.js'
import type { TextFileReport } from './report.js'

export interface PredictFileOptions {
  /** Path to write; an interrupted run is resumed. If absent, the lines go to `put`. */
  readonly output?: string | undefined
  /** Path for the lines that cannot be used. */
  readonly errors?: string | undefined
  readonly force: boolean
}

/** Opens the output file, and finds the piece of the input that is still to be read. */
async function openOutput(
  job: TextJob,
  model: TextModel,
  errors: ErrorsFile,
  output: string,
  force: boolean,
): Promise<{ file: PartFile; range: LineRange | undefined }> {
  let task: ShardTask | null = null
  if (job.input !== '-') ({ task } = taskOf('predict', job, model, await indexInput(job, 1)))
  const name = errors.path ?? null
  const file = new PartFile(output, task, {
    force,
    fits: (state) => state.errors.file === name && errors.holds(state.errors),
    companion: errors,
    anew: () => {
      refuseExistingErrors(errors.path, force)
    },
  })
  if (file.resumed === null || task === null) {
    file.begin({ next: { line: 1, offset: 0 }, answered: 0, errors: { file: name, ...errors.state } })
    return { file, range: undefined }
  }
  const { next, errors: before } = file.resumed
  errors.resume(before)
  return { file, range: { offset: next.offset, firstLine: next.line, bytes: task.input.bytes - next.offset } }
}

/**
 * Answers the lines of a job, with classes, tags or spans as the model does, into a file or to `put`.
 * @param put takes a line of output; false ends the work
 * @throws AlbertkitError as `openTextModel`; `output`, `usage`
 */
export function predictFile(
  job: TextJob,
  options: PredictFileOptions,
  put: (line: string) => Promise<boolean>,
  listener: Listener = {},
): Promise<TextFileReport> {
  return keepSources(() => predictInto(job, options, put, listener))
}

async function predictInto(
  job: TextJob,
  { output, errors: errorsPath, force }: PredictFileOptions,
  put: (line: string) => Promise<boolean>,
  listener: Listener = {},
): Promise<TextFileReport> {
  refuseSame({ 'the text': job.input, 'the output': output, 'the file of errors': errorsPath })
  addSource(job.input)
  if (output !== undefined) finishParts(output, finishErrors)
  if (output !== undefined) refuseExisting(output, force)
  else refuseExistingErrors(errorsPath, force)
  const model = await openForReading(job, output !== undefined)
  const errors = new ErrorsFile(errorsPath, output !== undefined)
  let lines = 0
  const stateAt = (next: PartState['next']): PartState => ({
    next,
    answered: lines,
    errors: { file: errorsPath ?? null, ...errors.state },
  })
  let last: PartState | undefined
  let file: PartFile | null = null
  let range: LineRange | undefined
  try {
    refuseSources([output, errorsPath])
    if (output !== undefined) ({ file, range } = await openOutput(job, model, errors, output, force))
    lines = file?.resumed?.answered ?? 0
    listener.onModel?.(model)
    const format = answerFormatter(model, job.format as PredictionFormat)
    if (range !== undefined && range.firstLine > 1)
      listener.onNote?.(`resuming at line ${range.firstLine}, after the end of ${output ?? ''}.part`)
    const onProgress = (progress: FileProgress): void => {
      const { nextLine: line, offset } = progress
      if (offset !== null) file?.checkpoint((last = stateAt({ line, offset })))
      tellListener(listener, progress)
    }
    const piece = { ...(range === undefined ? {} : { range }), onProgress }
    for await (const p of until(textAnswers(model, job, piece), file === null ? listener.gone : undefined)) {
      if (isBad(p)) {
        listener.onBad?.(p)
        errors.add(p)
        continue
      }
      const line = format(p)
      if (file !== null) file.put(line)
      else if (!(await put(line))) break
      lines++
    }
    if (file === null) errors.commit()
    else file.finish(last)
    const { count: bad } = errors
    return {
      output: output ?? null,
      lines,
      bad,
      errors: bad > 0 ? (errorsPath ?? null) : null,
      runner: model.detail,
      notes: model.leftOut,
      resumedAt: range === undefined || range.firstLine === 1 ? null : range.firstLine,
    }
  } catch (error) {
    if (file === null) errors.fail(error)
    throw error
  } finally {
    file?.discard()
    errors.close()
    await model.close()
  }
}
