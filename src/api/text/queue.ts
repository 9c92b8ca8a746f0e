import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { malformed, usage } from '../../errors.js'
import { writeWhole } from '../../export/whole-file.js'
import type { MergeJob, QueueJob } from '../../scale/queue/jobs.js'
import { submit, type SubmitOptions, type SubmitReport } from '../../scale/queue/submit.js'
import { work, type WorkOptions, type WorkReport } from '../../scale/queue/work.js'
import { indexLines } from '../../scale/line-index.js'
import { toJsonText } from '../../report/escape.js'
import { VECTOR_FORMATS } from './embed.js'
import type { TextJob } from './job.js'
import { mergeDirectory } from './merge.js'
import type { TextModel } from './model.js'
import { PREDICTION_FORMATS } from './predict.js'
import { computeShard, openForShards, taskOf, type ShardCommand } from './shards.js'

/**
 * Hands a job in: shards into `directory`, joined into `output` when all are done. Paths are made absolute: they must
 * mean the same on every worker.
 */
export async function submitJob(
  command: ShardCommand,
  asked: TextJob,
  { shards: count, output, ...options }: SubmitOptions & { readonly shards: number; readonly output: string },
): Promise<SubmitReport> {
  const job = command === 'embed' ? asked : { ...asked, pooling: undefined }
  const formats: readonly string[] =
    command === 'embed' ? VECTOR_FORMATS : command === 'predict' ? PREDICTION_FORMATS : ['jsonl']
  if (!formats.includes(job.format))
    throw usage(`${command} does not write ${job.format}`, { hint: `formats: ${formats.join(', ')}` })
  const model = await openForShards(command, job)
  try {
    const { task, shards } = taskOf(command, job, model, await indexLines(job.input, count))
    const target = resolve(output)
    const merge: MergeJob = {
      kind: 'merge',
      task,
      places: { model: resolve(job.model), input: resolve(job.input), directory: `${target}.shards` },
      output: target,
      force: false,
    }
    mkdirSync(join(target, '..'), { recursive: true })
    return await submit(merge, shards, options)
  } finally {
    await model.close()
  }
}

/** Models that this worker has open, by what they are. */
class Models {
  #key = ''
  #model: Promise<TextModel> | null = null

  async get(command: ShardCommand, job: TextJob): Promise<TextModel> {
    const key = JSON.stringify([command, job])
    if (key === this.#key && this.#model !== null) return this.#model
    await this.close()
    this.#key = key
    this.#model = openForShards(command, job)
    return this.#model
  }

  async close(): Promise<void> {
    const model = this.#model
    this.#model = null
    await model?.then((m) => m.close(), () => undefined)
  } // prettier-ignore
}

/** Runs jobs of a queue until it is told to stop, or until nothing is left. */
export async function workQueue(options: WorkOptions & { readonly threads?: number }): Promise<WorkReport> {
  const models = new Models()
  const run = async (job: QueueJob): Promise<string> => {
    const { directory, input, model: path } = job.places
    if (job.kind === 'merge') {
      const { output } = job
      const merged = await mergeDirectory(directory, { output, errors: `${output}.errors.jsonl`, force: true })
      if (!('evaluation' in merged)) return `${merged.output.lines} lines joined`
      writeWhole(output, toJsonText(merged), true)
      return `${merged.evaluation.lines} lines scored`
    }
    const asked = { ...(job.task.options as Partial<TextJob>), model: path, input }
    const text = { format: 'jsonl', ...asked, ...(options.threads === undefined ? {} : { threads: options.threads }) } as TextJob // prettier-ignore
    const model = await models.get(job.task.command, text)
    if (model.sha256 !== job.task.model.sha256)
      throw malformed('the model here is not the one that the job was made for', {
        file: path,
        hint: 'submit the job again, or bring the right model here',
      })
    const { skipped } = await computeShard(directory, job.task, job.shard, text, model)
    return skipped ? 'was there already' : `${job.shard.lines} lines`
  }
  try {
    return await work(run, options)
  } finally {
    await models.close()
  }
}
