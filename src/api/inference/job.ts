import { stopIfAborted, type Abortable } from '../../base/abort.js'
import { statSync } from 'node:fs'
import {
  ExampleReader,
  inputFormatOf,
  isExampleFormat,
  recordsOf,
  refuseWholeJson,
  type BadLine,
  type ExampleOptions,
  type InputFormat,
} from '../../text/data/examples.js'
import { indexLines, indexRecords, type LineIndex } from '../../sharding/line-index.js'
import { WINDOW } from '../../sharding/window.js'
import { formatOfFile, headOf } from '../input/format.js'
import { readLines } from '../input/lines.js'
import type { ResolvedTask } from '../../model/tasks.js'
import { omitUndefined } from '../../base/omit-undefined.js'
import { usage, type AlbertkitError } from '../../base/errors.js'
import { readTfRecords } from '../input/records.js'
import { openTextModel, readLabelsFile } from './model.js'
import type { Pooling } from './sentence/vectors.js'
import type { TextModel, TextModelOptions } from './text-model.js'
import type { VectorFormat } from './embed.js'
import type { Progress } from './answers.js'
import type { PredictionFormat } from './predict.js'

/** Tasks of `predict` and `evaluate`, in the order in which they are tried. */
export const READING_TASKS = ['classify', 'token-classification', 'qa'] as const satisfies readonly ResolvedTask[]
export type ReadingTask = (typeof READING_TASKS)[number]

/** Options of one run over a file; plain data, so that it can be sent to other machines. */
export interface TextJob {
  readonly model: string
  readonly input: string
  readonly format: PredictionFormat | VectorFormat
  /** `embed`: pooling instead of the modules of a sentence-transformers folder. */
  readonly pooling?: Pooling | undefined
  /** `embed`: text put before each text, or the name of one of the folder's prompts. */
  readonly prompt?: string | undefined
  readonly promptName?: string | undefined
  readonly inputFormat?: InputFormat | undefined
  readonly header?: boolean | undefined
  readonly textColumn?: string | undefined
  readonly textBColumn?: string | undefined
  readonly labelColumn?: string | undefined
  /** `predict`, `evaluate`: what the model is used for; default: the first of `READING_TASKS` that it can do. */
  readonly task?: ReadingTask | undefined
  /** `qa`: passage of the questions without one. */
  readonly context?: string | undefined
  /** `qa`: tokens between the starts of two windows of a passage, tokens of an answer, and `SpanOptions`. */
  readonly docStride?: number | undefined
  readonly maxAnswerLength?: number | undefined
  readonly nullThreshold?: number | undefined
  readonly labels?: string | undefined
  /** Class names, if known already; they take precedence over `labels`. */
  readonly labelNames?: readonly string[] | undefined
  readonly vocabulary?: string | undefined
  /** Configuration file instead of the one next to the weights. */
  readonly config?: string | undefined
  /** False if checksums are not verified. */
  readonly checksum?: boolean | undefined
  readonly lowerCase?: boolean | undefined
  readonly maxSeqLength?: number | undefined
  readonly batch?: number | undefined
  readonly runner?: string | undefined
  /** Selection of the model in the file, as in `OpenModelOptions`. */
  readonly scope?: string | undefined
  readonly head?: string | undefined
  readonly ema?: boolean | undefined
  readonly mergeLora?: boolean | undefined
  readonly ignore?: readonly string[] | undefined
  /** Number of threads; they do not affect results and do not identify a shard. */
  readonly threads?: number | undefined
}

const column = (text: string | undefined): string | number | undefined =>
  text !== undefined && /^\d+$/.test(text) ? Number(text) : text

/** Format of a job's input: as asked for, by its name, or by its contents. @throws AlbertkitError `usage` */
export function formatOfJob({ inputFormat, input }: TextJob): InputFormat {
  if (inputFormat === 'jsonl') refuseWholeJson(headOf(input), input)
  return inputFormat ?? formatOfFile(input)
}

/** A remark on lines that look like columns of a table, or null. */
export function tableNote(job: TextJob): string | null {
  if (
    formatOfJob(job) !== 'lines' ||
    job.inputFormat !== undefined ||
    !headOf(job.input).split('\n', 1)[0]!.includes('\t')
  )
    return null
  return 'the lines have tabs and are read as text: `inputFormat: tsv` reads them as columns (label, text)'
}

/** True if the input is a file of features. */
export const holdsRecords = (job: TextJob): boolean => (job.inputFormat ?? inputFormatOf(job.input)) === 'tfrecord'

/** Contents of input formats other than lines of text, for messages. */
const HELD = {
  tfrecord: 'features, not text',
  conll: 'tagged words, which a token classifier reads',
  squad: 'questions about paragraphs, which a question-answering model reads',
} as const

const notText = (format: keyof typeof HELD, { input }: TextJob): AlbertkitError =>
  usage(`the input holds ${HELD[format]}`, {
    code: 'text-unusable',
    file: input,
    ...(format === 'tfrecord' ? {} : { hint: '`inputFormat: lines` reads it as plain text' }),
  })

/** Makes the reader of a job's text. @throws AlbertkitError `usage` if the input is not text */
export function readerOf(job: TextJob, questions = false): ExampleReader {
  const format = formatOfJob(job)
  if (!isExampleFormat(format)) throw notText(format, job)
  const options: ExampleOptions = omitUndefined({
    format,
    header: job.header,
    textColumn: column(job.textColumn),
    textBColumn: column(job.textBColumn),
    labelColumn: column(job.labelColumn),
    questions: questions ? true : undefined,
  })
  return new ExampleReader(options)
}

/** Model options of a job. */
export const textModelOptions = (job: TextJob): TextModelOptions =>
  omitUndefined({
    config: job.config,
    checksum: job.checksum,
    vocabulary: job.vocabulary,
    lowerCase: job.lowerCase,
    runner: job.runner,
    labels: job.labelNames ?? (job.labels === undefined ? undefined : readLabelsFile(job.labels)),
    maxSeqLength: job.maxSeqLength,
    scope: job.scope,
    head: job.head,
    ema: job.ema,
    mergeLora: job.mergeLora,
    ignore: job.ignore,
    task: job.task,
  })

/**
 * Opens the model of a job for reading texts.
 * @param hash true to compute the model's SHA-256, which reads all weights
 */
export const openForReading = (job: TextJob, hash = false): Promise<TextModel> =>
  openTextModel(job.model, job.task ?? READING_TASKS, undefined, { ...textModelOptions(job), hash })

/**
 * Line numbers at which shards of a CSV file may begin: the first record that begins in each window, as a record may
 * span lines.
 */
async function csvStarts(file: string): Promise<ReadonlySet<number>> {
  const starts = new Set<number>()
  let [offset, before] = [0, 0]
  for await (const { number, end = 0 } of recordsOf(readLines(file), 'csv')) {
    const own = Math.floor((number - 1) / WINDOW)
    if (own !== before) starts.add(offset)
    ;[offset, before] = [end, own]
  }
  return starts
}

/** Finds the boundaries of the shards of a job's input. @throws AlbertkitError `usage`, `malformed` */
export async function indexInput(job: TextJob, count: number): Promise<LineIndex> {
  const format = formatOfJob(job)
  if (format === 'conll' || format === 'squad') {
    if (count === 1) return indexLines(job.input, count, WINDOW)
    throw usage(`the input cannot be split into shards: it holds ${HELD[format]}`, {
      code: 'option-conflict',
      file: job.input,
    })
  }
  if (format === 'tfrecord') return indexRecords(readTfRecords(job.input), sizeOf(job.input) ?? 0, count)
  return indexLines(job.input, count, WINDOW, format === 'csv' ? await csvStarts(job.input) : undefined)
}

/** Progress of reading a file. */
export interface FileProgress extends Progress {
  /** Fraction of its bytes that is done; null if the size is unknown. */
  readonly part: number | null
}

/** Callbacks while a file is read. */
export interface Listener extends Abortable {
  /** Settled when the answers are no longer read; no more lines are awaited then. */
  readonly gone?: Promise<unknown>
  onModel?(model: TextModel): void
  onBad?(bad: BadLine): void
  onProgress?(progress: FileProgress): void
  /** Called with notes for the user. */
  onNote?(note: string): void
}

/** Reports the progress of reading. @throws AlbertkitError `interrupted` once its signal is aborted */
export function tellListener(listener: Listener, progress: FileProgress): void {
  listener.onProgress?.(progress)
  stopIfAborted(listener.signal)
}

/** Bytes of a regular file; null for standard input and other streams. */
export function sizeOf(path: string): number | null {
  const stats = path === '-' ? undefined : statSync(path, { throwIfNoEntry: false })
  return stats?.isFile() === true ? stats.size : null
}
