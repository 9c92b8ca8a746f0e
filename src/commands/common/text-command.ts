import type { TextFileReport } from '../../api/inference/report.js'
import type { ShardCommand } from '../../api/inference/shard-task.js'
import type { Listener, TextJob } from '../../api/inference/job.js'
import { usage } from '../../base/errors.js'
import { AlbertkitCommand } from './base.js'
import { listenerOf } from './text-talk.js'

interface ShardFlags {
  readonly errors?: string | undefined
  readonly shard?: { readonly index: number; readonly count: number } | undefined
  readonly output?: string | undefined
}

/** Base of the commands that read lines. */
export abstract class TextCommand extends AlbertkitCommand {
  /** Number of truncated texts. */
  #cut = 0

  /** Listener that prints messages while the input of a job is read. */
  protected async listener(job: TextJob): Promise<Listener> {
    const { holdsRecords, tableNote } = await import('../../api/inference/job.js')
    const unit = holdsRecords(job) ? 'record' : 'line'
    const listener = listenerOf(this.speaker, { unit, maxSeqLength: job.maxSeqLength })
    const note = unit === 'line' ? tableNote(job) : null
    if (note !== null) listener.onNote?.(note)
    const onProgress: Listener['onProgress'] = (progress) => {
      this.#cut = Math.max(this.#cut, progress.cut)
      listener.onProgress?.(progress)
    }
    return { ...listener, onProgress, gone: this.readerGone }
  }

  /** Computes the requested shard; false if no shard is requested. */
  protected async runShard(
    command: ShardCommand,
    job: TextJob,
    { shard, output, errors }: ShardFlags,
  ): Promise<boolean> {
    if (shard === undefined) return false
    if (errors !== undefined)
      throw usage('--errors does not go with --shard: a shard writes unusable lines beside its output', {
        code: 'option-conflict',
        hint: 'merge --errors FILE joins them',
      })
    const { runTextShard } = await import('../../api/sharded/shards.js')
    const { shardDocument, shardText } = await import('../../report/text/short.js')
    const report = await runTextShard(command, job, shard, output, await this.listener(job))
    await this.finish(shardDocument(report), () => shardText(report))
    return true
  }

  /** Ends a command whose lines are written. Exit code 3 if lines could not be used and no `errors` file has them. */
  protected async finishLines(report: TextFileReport, errors: string | undefined): Promise<void> {
    const exitCode = report.bad > 0 && errors === undefined ? 3 : 0
    if (this.#cut > 1) this.talk(`${this.#cut} texts were truncated`)
    if (report.output === null) {
      if (exitCode !== 0) await this.end(exitCode)
      return
    }
    const { textFileText } = await import('../../report/text/short.js')
    await this.finish(report, () => textFileText(report), exitCode)
  }
}
