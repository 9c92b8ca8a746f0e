import { dirname, resolve } from 'node:path'
import { makeFolders } from '../../files/output-file.js'
import { malformed, usage } from '../../base/errors.js'
import { refuseExisting } from '../../files/atomic-file.js'
import type { MergeJob, QueueJob } from '../../sharding/queue/jobs.js'
import { submit, type SubmitOptions, type SubmitReport } from '../../sharding/queue/submit.js'
import { work, type WorkOptions, type WorkReport } from '../../sharding/queue/work.js'
import { VECTOR_FORMATS } from '../inference/embed.js'
import { indexInput, textModelOptions, type TextJob } from '../inference/job.js'
import { mergeDirectory } from './merge.js'
import type { TextModel } from '../inference/text-model.js'
import { PREDICTION_FORMATS } from '../inference/predict.js'
import { computeShard, openForShards } from './shards.js'
import { taskOf } from '../inference/shard-task.js'
import { type ShardCommand } from '../inference/shard-task.js'

export interface SubmitJobOptions extends Omit<SubmitOptions, 'allow'> {
  readonly shards: number
  readonly output: string
  /** Replace an existing file. */
  readonly force?: boolean | undefined
}

/** Path of the file of unusable lines. */
const errorsOf = (output: string): string => `${output}.errors.jsonl`

/**
 * Submits a job: shards are written into `directory` and merged into `output` when all are done. Paths are made
 * absolute and must be valid on every worker.
 */
export async function submitJob(
  command: ShardCommand,
  asked: TextJob,
  { shards: count, output, force = false, ...options }: SubmitJobOptions,
): Promise<SubmitReport> {
  const job = command === 'embed' ? asked : { ...asked, pooling: undefined }
  const formats: readonly string[] =
    command === 'embed' ? VECTOR_FORMATS : command === 'predict' ? PREDICTION_FORMATS : ['jsonl']
  if (!formats.includes(job.format))
    throw usage(`${command} does not write ${job.format}`, {
      code: 'option-invalid',
      hint: `formats: ${formats.join(', ')}`,
    })
  const model = await openForShards(command, job)
  try {
    const { task, shards } = taskOf(command, job, model, await indexInput(job, count))
    const target = resolve(output)
    const merge: MergeJob = {
      kind: 'merge',
      task,
      places: {
        model: resolve(job.model),
        input: resolve(job.input),
        directory: `${target}.shards`,
        ...(job.vocabulary === undefined ? {} : { vocabulary: resolve(job.vocabulary) }),
      },
      output: target,
      force: false,
    }
    makeFolders(dirname(target))
    const allow = (): void => {
      for (const path of [target, errorsOf(target)]) refuseExisting(path, force)
    }
    return await submit(merge, shards, { ...options, allow })
  } finally {
    await model.close()
  }
}

interface OpenModel {
  readonly model: Promise<TextModel>
  /** Number of shards that are being computed with it. */
  users: number
}

/** Open models of a worker, with their threads; the last one stays open for the following shards. */
export class Models {
  readonly #open = new Map<string, OpenModel>()

  constructor(readonly openModel: typeof openForShards = openForShards) {}

  /** Runs `body` with the model of a job, which is opened if necessary. */
  async use<T>(command: ShardCommand, job: TextJob, body: (model: TextModel) => Promise<T>): Promise<T> {
    const { model, pooling } = job
    const kind = command === 'embed' ? pooling : 'classify'
    const key = JSON.stringify([kind, model, textModelOptions(job)])
    const entry = this.#open.get(key) ?? { model: this.openModel(command, job), users: 0 }
    this.#open.set(key, entry)
    entry.users++
    try {
      await this.#closeOthers(key)
      return await body(await entry.model)
    } catch (error) {
      // A model that failed to open is not kept: a retry of the shard opens it again.
      await entry.model.catch(() => this.#open.delete(key))
      throw error
    } finally {
      entry.users--
    }
  }

  async #closeOthers(kept: string | null): Promise<void> {
    const idle = [...this.#open].filter(([key, { users }]) => key !== kept && users === 0)
    for (const [key] of idle) this.#open.delete(key)
    await Promise.all(
      idle.map(([, { model }]) =>
        model.then(
          (m) => m.close(),
          () => undefined,
        ),
      ),
    )
  }

  close(): Promise<void> {
    return this.#closeOthers(null)
  }
}

/** Runs jobs of a queue until it is stopped or nothing is left. */
export async function workQueue(options: WorkOptions & { readonly threads?: number }): Promise<WorkReport> {
  const models = new Models()
  const run = async (job: QueueJob): Promise<string> => {
    const { directory, input, model: path, vocabulary } = job.places
    if (job.kind === 'merge') {
      const { output } = job
      const merged = await mergeDirectory(directory, { output, errors: errorsOf(output), force: true })
      return 'evaluation' in merged ? `${merged.evaluation.lines} lines scored` : `${merged.output.lines} lines merged`
    }
    const asked = { ...(job.task.options as Partial<TextJob>), model: path, input, vocabulary }
    const text = {
      format: 'jsonl',
      ...asked,
      ...(options.threads === undefined ? {} : { threads: options.threads }),
    } as TextJob
    return models.use(job.task.command, text, async (model) => {
      if (model.sha256 !== job.task.model.sha256)
        throw malformed('the model on this machine differs from the one that the job was submitted with', {
          code: 'shard-mismatch',
          file: path,
          hint: 'submit the job again, or copy the right model to this machine',
        })
      const { skipped } = await computeShard(directory, job.task, { job: text, shard: job.shard, model })
      return skipped ? 'exists already' : `${job.shard.lines} lines`
    })
  }
  try {
    return await work(run, options)
  } finally {
    await models.close()
  }
}
