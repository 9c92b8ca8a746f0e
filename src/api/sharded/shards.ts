import { usage } from '../../base/errors.js'
import type { Shard } from '../../sharding/line-index.js'
import { runShard, type ShardOutput, type ShardReport } from '../../sharding/run-shard.js'
import { isBad, type BadLine } from '../../text/data/examples.js'
import { readLines } from '../input/lines.js'
import { badLine } from '../inference/errors-file.js'
import { embedEntries, openEmbedder, vectorLine } from '../inference/embed.js'
import { embedderOptions } from '../inference/embed-file.js'
import {
  indexInput,
  openForReading,
  tellListener,
  type FileProgress,
  type Listener,
  type TextJob,
} from '../inference/job.js'
import { answerFormatter } from '../inference/answer-line.js'
import { predictions, readPiece, textAnswers } from '../inference/piece.js'
import type { TextModel } from '../inference/text-model.js'
import type { PredictionFormat } from '../inference/predict.js'
import { taskOf, type ShardCommand, type TextShardTask } from '../inference/shard-task.js'

/** Opens the model of a sharded job, with its SHA-256, which reads all weights. */
export const openForShards = (command: ShardCommand, job: TextJob): Promise<TextModel> =>
  command === 'embed' ? openEmbedder(job.model, { ...embedderOptions(job), hash: true }) : openForReading(job, true)

/** Lines of a shard: predictions (scored when merged), answers or vectors. */
async function* shardLines(
  command: ShardCommand,
  job: TextJob,
  shard: Shard,
  model: TextModel,
  onProgress: ((progress: FileProgress) => void) | undefined,
): AsyncGenerator<string | BadLine> {
  const piece = { range: shard, onProgress }
  if (command === 'embed') {
    const { entries, options } = await readPiece(job, model, piece)
    for await (const e of embedEntries(model, entries, options)) yield isBad(e) ? e : vectorLine(e.vector)
    return
  }
  if (command === 'evaluate') {
    for await (const p of predictions(model, job, piece)) yield isBad(p) ? p : JSON.stringify(p)
    return
  }
  const format = answerFormatter(model, job.format as PredictionFormat)
  for await (const p of textAnswers(model, job, piece)) yield isBad(p) ? p : format(p)
}

/** Ending of a shard's file by the format of its lines. */
const EXTENSIONS: Readonly<Record<PredictionFormat, string>> = {
  jsonl: 'jsonl',
  tsv: 'tsv',
  csv: 'csv',
  results: 'tsv',
}

/** Number of lines per write. */
const PIECE = 256

/** Shard of a job, and the open model that runs it. */
export interface ShardWork {
  readonly job: TextJob
  readonly shard: Shard
  readonly model: TextModel
  readonly onProgress?: (progress: FileProgress) => void
}

/** Computes one shard into `directory`. An evaluation's shard holds predictions, which are scored when merged. */
export function computeShard(
  directory: string,
  task: TextShardTask,
  { job, shard, model, onProgress }: ShardWork,
): Promise<ShardReport> {
  const { command } = task
  const work = async (output: ShardOutput): Promise<void> => {
    let lines = ''
    let count = 0
    for await (const line of shardLines(command, job, shard, model, onProgress)) {
      if (typeof line !== 'string') {
        output.writeError(`${badLine(line)}\n`)
        continue
      }
      lines += `${line}\n`
      if (++count % PIECE !== 0) continue
      output.write(lines)
      lines = ''
    }
    if (lines !== '') output.write(lines)
  }
  const extension =
    command === 'evaluate'
      ? 'predictions.jsonl'
      : command === 'embed'
        ? 'jsonl'
        : EXTENSIONS[job.format as PredictionFormat]
  return runShard(directory, task, shard, work, extension)
}

/** Reads a file of JSON lines. */
export async function* readJsonLines<T>(path: string): AsyncGenerator<T> {
  for await (const { text } of readLines(path)) yield JSON.parse(text) as T
}

/**
 * Computes the shard `index` (from 0) of `count` of a job into `directory`.
 * @throws AlbertkitError `usage` for standard input or a missing `output`; as `openTextModel`
 */
export async function runTextShard(
  command: ShardCommand,
  job: TextJob,
  { index, count }: { readonly index: number; readonly count: number },
  directory: string | undefined,
  listener: Listener = {},
): Promise<ShardReport> {
  if (directory === undefined)
    throw usage('a shard requires `output`, the directory of the shards', { code: 'option-missing' })
  if (job.input === '-')
    throw usage('standard input cannot be split into shards', {
      code: 'option-conflict',
      hint: 'give the path of a file',
    })
  const model = await openForShards(command, job)
  try {
    const { task, shards } = taskOf(command, job, model, await indexInput(job, count))
    listener.onModel?.(model)
    const onProgress = (progress: FileProgress): void => {
      tellListener(listener, progress)
    }
    return await computeShard(directory, task, { job, shard: shards[index]!, model, onProgress })
  } finally {
    await model.close()
  }
}
