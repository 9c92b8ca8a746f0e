import { readFileSync } from 'node:fs'
import { omitUndefined } from '../../base/omit-undefined.js'
import { unreadable, usage } from '../../base/errors.js'
import { recordsOf, type BadLine, type InputFormat } from '../../text/data/examples.js'
import type { LineRange } from '../../text/data/lines.js'
import { readSquad } from '../../text/data/squad.js'
import { taskRow } from '../../model/tasks.js'
import { readLines } from '../input/lines.js'
import type { AnswerOptions, Progress } from './answers.js'
import { lineEntries, recordEntries, type Entry } from './entries.js'
import { formatOfJob, holdsRecords, readerOf, sizeOf, type FileProgress, type TextJob } from './job.js'
import { predictEntries, type Prediction } from './predict.js'
import { questionEntries, squadEntries } from './qa/entries.js'
import { answerEntries, type PassageAnswer } from './qa/predict-answers.js'
import { sentenceEntries, taggingEntries } from './tags/entries.js'
import { tagEntries, type Tagging } from './tags/predict-tags.js'
import type { TextModel } from './text-model.js'

/** Answer of a model for a line, a sentence or a question. */
export type TextAnswer = Prediction | Tagging | PassageAnswer

/** Milliseconds without standard input after which the lines so far are answered. */
export const PATIENCE_MS = 200

/** Piece of a job's input, and the callbacks for its progress. */
export interface Piece {
  readonly range?: LineRange
  readonly onProgress?: ((progress: FileProgress) => void) | undefined
}

export interface PieceReading {
  readonly entries: AsyncIterable<Entry>
  readonly options: AnswerOptions
}

/** Features as records; options for columns and length do not apply to them. */
function featureEntries(job: TextJob, model: TextModel, range: LineRange | undefined): AsyncIterable<Entry> {
  const { header, textColumn, textBColumn, labelColumn, maxSeqLength, input } = job
  if ([header, textColumn, textBColumn, labelColumn].some((given) => given !== undefined))
    throw usage('a file of features has no header and no columns', { code: 'option-conflict', file: input })
  if (maxSeqLength !== undefined)
    throw usage('features already have a fixed length', {
      code: 'option-conflict',
      file: input,
      hint: 'omit `maxSeqLength`',
    })
  return recordEntries(input, model, range)
}

/** Reads the header of a file of which only a later part is read. */
async function readHeader(job: TextJob, reader: ReturnType<typeof readerOf>, range: LineRange | undefined) {
  if (range === undefined || range.offset === 0 || job.header !== true) return
  for await (const line of recordsOf(readLines(job.input), reader.options.format)) {
    reader.read(line) // its errors are reported by the piece that holds it
    return
  }
}

function readQuestions({ input }: TextJob): ReturnType<typeof readSquad> {
  try {
    return readSquad(readFileSync(input === '-' ? 0 : input, 'utf8'), input)
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) throw unreadable('the questions', input, error)
    throw error
  }
}

/** Format of a job's input; evaluation of a token classifier reads tagged words if the file has no other format. */
function formatFor(job: TextJob, reading: string, isLabelled: boolean): InputFormat {
  const format = formatOfJob(job)
  const isSure = job.inputFormat !== undefined || format !== 'lines'
  return !isSure && reading === 'tags' && isLabelled ? 'conll' : format
}

/** Entries of a job's input, or of a piece of it. */
async function entriesOf(job: TextJob, model: TextModel, { range, isLabelled = false }: Labelled) {
  const { reading } = taskRow(model.task)
  if (holdsRecords(job)) {
    if (reading !== 'tags' && reading !== 'spans') return featureEntries(job, model, range)
    throw usage('files of features are read by classifiers of texts', { code: 'text-unusable', file: job.input })
  }
  const format = formatFor(job, reading, isLabelled)
  if (format === 'conll' && reading === 'tags') return sentenceEntries(readLines(job.input, range), model)
  if (format === 'squad' && reading === 'spans') return squadEntries(readQuestions(job), model, job.docStride)
  const reader = readerOf(job, reading === 'spans')
  await readHeader(job, reader, range)
  const lines = readLines(job.input, range)
  if (reading === 'tags') return taggingEntries(lines, reader, model)
  return reading === 'spans' ? questionEntries(lines, reader, model, job) : lineEntries(lines, reader, model.limits)
}

interface Labelled {
  readonly range?: LineRange | undefined
  /** True if the input has the right answers. */
  readonly isLabelled?: boolean | undefined
}

/** Opens a job's input, or a piece of it: its entries and the options of its batches. */
export async function readPiece(
  job: TextJob,
  model: TextModel,
  { range, onProgress, isLabelled }: Piece & Labelled = {},
): Promise<PieceReading> {
  const [start, bytes] = [range?.offset ?? 0, range?.bytes ?? sizeOf(job.input)]
  const tell = (p: Progress): void => {
    const part = bytes === null || bytes === 0 || p.offset === null ? null : (p.offset - start) / bytes
    onProgress?.({ ...p, part })
  }
  const patience = job.input === '-' ? PATIENCE_MS : undefined
  const options = omitUndefined({ batch: job.batch, threads: job.threads, patience, onProgress: tell })
  return { entries: await entriesOf(job, model, { range, isLabelled }), options }
}

/** Predictions of a classifier of texts for a job, or for a piece of it. @throws AlbertkitError `usage` for others */
export async function* predictions(
  model: TextModel,
  job: TextJob,
  piece: Piece = {},
): AsyncGenerator<Prediction | BadLine> {
  if (model.task !== 'classify') throw notClassifier(model)
  const { entries, options } = await readPiece(job, model, piece)
  yield* predictEntries(model, entries, options)
}

const notClassifier = ({ task }: TextModel) =>
  usage(`this needs a classifier of texts, and the model is used for ${task}`, { code: 'option-conflict' })

/** Answers of a model for a job, or for a piece of it. */
export async function* textAnswers(
  model: TextModel,
  job: TextJob,
  piece: Piece & Labelled = {},
): AsyncGenerator<TextAnswer | BadLine> {
  const { reading } = taskRow(model.task)
  if (reading !== 'spans' && job.context !== undefined)
    throw usage('`context` is for question answering', {
      code: 'option-conflict',
      hint: `the model is used for ${model.task}`,
    })
  const { entries, options } = await readPiece(job, model, piece)
  if (reading === 'tags') yield* tagEntries(model, entries, options)
  else if (reading === 'spans') yield* answerEntries(model, entries, { ...options, ...spanOptions(job) })
  else yield* predictEntries(model, entries, options)
}

const spanOptions = ({ maxAnswerLength, nullThreshold }: TextJob) => omitUndefined({ maxAnswerLength, nullThreshold })
