import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { OutputFile } from '../../export/files.js'
import { indexLines, type Shard } from '../../scale/line-index.js'
import type { ShardTask } from '../../scale/manifest.js'
import { runShard, type ShardReport } from '../../scale/run-shard.js'
import {
  ExampleReader,
  formatOf,
  isBad,
  type BadLine,
  type ExampleFormat,
  type ExampleOptions,
} from '../../text/examples.js'
import { readLines } from '../../text/lines.js'
import { openTextModel, readLabelsFile, type TextModel, type TextModelOptions } from './model.js'
import type { PipelineOptions } from './pipeline.js'
import { labelsFor, predictionLine, predictLines, type Prediction, type PredictionFormat } from './predict.js'

/** Everything that one reading of a file needs to know; plain data, so that it travels to other machines. */
export interface TextJob {
  readonly model: string
  readonly input: string
  readonly format: PredictionFormat
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

const defined = <T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as never

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

const pipelineOf = (job: TextJob, onProgress?: (lines: number) => void): PipelineOptions =>
  defined({ batch: job.batch, threads: job.threads, onProgress })

/** The predictions of a job, or of a shard of it. */
export async function* predictions(
  model: TextModel,
  job: TextJob,
  { shard, onProgress }: { readonly shard?: Shard; readonly onProgress?: (lines: number) => void } = {},
): AsyncGenerator<Prediction | BadLine> {
  const reader = readerOf(job)
  if (shard !== undefined && shard.offset > 0 && job.header === true)
    for await (const { text } of readLines(job.input)) {
      reader.takeHeader(text)
      break
    }
  yield* predictLines(model, readLines(job.input, shard), reader, pipelineOf(job, onProgress))
}

export const badLine = ({ line, reason, content }: BadLine): string => JSON.stringify({ line, reason, content })

/** A file of lines that could not be used, opened when the first one comes. */
export class ErrorsFile {
  #file: OutputFile | null = null
  count = 0

  constructor(readonly path: string | undefined) {}

  /** @throws AlbertkitError `output` */
  add(bad: BadLine): void {
    this.count++
    if (this.path === undefined) return
    this.#file ??= new OutputFile(this.path, 'w')
    this.#file.write(Buffer.from(`${badLine(bad)}\n`))
  }

  close(): void {
    this.#file?.close()
    this.#file = null
  }
}

/** What two shards must have in common besides model and input. */
const optionsOf = ({ model: _m, input: _i, threads: _t, ...options }: TextJob): Record<string, unknown> =>
  defined(options)

export type ShardCommand = 'predict' | 'evaluate'

/** A job as a task whose shards any machine can compute, and the shards. */
export async function taskOf(
  command: ShardCommand,
  job: TextJob,
  model: TextModel,
  count: number,
): Promise<{ task: ShardTask; shards: readonly Shard[] }> {
  const { shards, ...input } = await indexLines(job.input, count)
  const labelNames = command === 'evaluate' && model.labels !== null ? { labelNames: model.labels } : {}
  const options = { ...optionsOf(job), ...labelNames }
  return { task: { command, options, model: { sha256: model.sha256 }, input }, shards }
}

/** Computes one shard into `directory`. An evaluation's shard holds predictions, which are scored when all are there. */
export function computeShard(
  directory: string,
  task: ShardTask,
  shard: Shard,
  job: TextJob,
  model: TextModel,
  onProgress?: (lines: number) => void,
): Promise<ShardReport> {
  const scored = task.command === 'evaluate'
  return runShard(
    directory,
    task,
    shard,
    async (output) => {
      for await (const p of predictions(model, job, { shard, ...defined({ onProgress }) })) {
        if (isBad(p)) output.writeError(`${badLine(p)}\n`)
        else if (scored) output.write(`${JSON.stringify(p)}\n`)
        else output.write(`${predictionLine(p, labelsFor(model, p.logits.length), job.format)}\n`)
      }
    },
    scored ? 'predictions.jsonl' : job.format === 'jsonl' ? 'jsonl' : 'tsv',
  )
}

/** Predictions as a shard of an evaluation holds them. */
export async function* readPredictions(path: string): AsyncGenerator<Prediction> {
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Infinity })
  for await (const line of lines) yield JSON.parse(line) as Prediction
}
