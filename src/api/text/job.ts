import { statSync } from 'node:fs'
import { ExampleReader, formatOf, type BadLine, type ExampleFormat, type ExampleOptions } from '../../text/examples.js'
import { readLines, type Line, type LineRange } from '../../text/lines.js'
import { defined } from '../../defined.js'
import { openTextModel, readLabelsFile, type TextModel, type TextModelOptions } from './model.js'
import type { VectorFormat } from './embed.js'
import type { PipelineOptions, Progress } from './pipeline.js'
import { predictLines, type Prediction, type PredictionFormat } from './predict.js'
import type { Pooling } from './single.js'

/** Everything that one reading of a file needs to know; plain data, so that it travels to other machines. */
export interface TextJob {
  readonly model: string
  readonly input: string
  readonly format: PredictionFormat | VectorFormat
  /** What `embed` makes of a line. */
  readonly pooling?: Pooling | undefined
  readonly inputFormat?: ExampleFormat | undefined
  readonly header?: boolean | undefined
  readonly textColumn?: string | undefined
  readonly textBColumn?: string | undefined
  readonly labelColumn?: string | undefined
  readonly labels?: string | undefined
  readonly vocabulary?: string | undefined
  readonly lowerCase?: boolean | undefined
  readonly maxSeqLength?: number | undefined
  readonly batch?: number | undefined
  readonly runner?: string | undefined
  /** Threads change no result and are no part of what a shard is. */
  readonly threads?: number | undefined
}

const column = (text: string | undefined): string | number | undefined =>
  text !== undefined && /^\d+$/.test(text) ? Number(text) : text

export function readerOf(job: TextJob): ExampleReader {
  const options: ExampleOptions = defined({
    format: job.inputFormat ?? formatOf(job.input),
    header: job.header,
    textColumn: column(job.textColumn),
    textBColumn: column(job.textBColumn),
    labelColumn: column(job.labelColumn),
  })
  return new ExampleReader(options)
}

/** What a job says of the model. */
export const textModelOptions = (job: TextJob): TextModelOptions =>
  defined({
    vocabulary: job.vocabulary,
    lowerCase: job.lowerCase,
    runner: job.runner,
    labels: job.labels === undefined ? undefined : readLabelsFile(job.labels),
    maxSeqLength: job.maxSeqLength,
  })

/** @param hash whether the model's SHA-256 is needed: computing it reads all weights */
export const openClassifier = (job: TextJob, hash = false): Promise<TextModel> =>
  openTextModel(job.model, 'classify', 'logits', { ...textModelOptions(job), hash })

/** How far the reading of a file is. */
export interface FileProgress extends Progress {
  /** Part of its bytes that is done; null where they cannot be known beforehand. */
  readonly part: number | null
}

/** Who is told while a file is read. */
export interface Listener {
  onModel?(model: TextModel): void
  onBad?(bad: BadLine): void
  onProgress?(progress: FileProgress): void
  /** What else a person may want to know. */
  onNote?(note: string): void
}

/** Bytes of a regular file; null for standard input and anything else that flows. */
function sizeOf(path: string): number | null {
  const stats = path === '-' ? undefined : statSync(path, { throwIfNoEntry: false })
  return stats?.isFile() === true ? stats.size : null
}

/** A piece of a job's input, and who is told how far it is. */
export interface Piece {
  readonly range?: LineRange
  readonly onProgress?: ((progress: FileProgress) => void) | undefined
}

export interface PieceReading {
  readonly lines: AsyncIterable<Line>
  readonly reader: ExampleReader
  readonly options: PipelineOptions
}

/** How a job's input, or a piece of it, is read: its lines, what they are, and the batches. */
export async function readPiece(job: TextJob, { range, onProgress }: Piece = {}): Promise<PieceReading> {
  const reader = readerOf(job)
  if (range !== undefined && range.offset > 0 && job.header === true)
    for await (const { text } of readLines(job.input)) {
      reader.takeHeader(text)
      break
    }
  const [start, bytes] = [range?.offset ?? 0, range?.bytes ?? sizeOf(job.input)]
  const tell = (p: Progress): void => {
    const part = bytes === null || bytes === 0 || p.offset === null ? null : (p.offset - start) / bytes
    onProgress?.({ ...p, part })
  }
  const options = defined({ batch: job.batch, threads: job.threads, onProgress: tell })
  return { lines: readLines(job.input, range), reader, options }
}

/** The predictions of a job, or of a piece of it. */
export async function* predictions(
  model: TextModel,
  job: TextJob,
  piece: Piece = {},
): AsyncGenerator<Prediction | BadLine> {
  const { lines, reader, options } = await readPiece(job, piece)
  yield* predictLines(model, lines, reader, options)
}
