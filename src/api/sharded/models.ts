import { textModelOptions, type TextJob } from '../inference/job.js'
import type { ShardCommand } from '../inference/shard-task.js'
import type { TextModel } from '../inference/text-model.js'
import { openForShards } from './shards.js'

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
