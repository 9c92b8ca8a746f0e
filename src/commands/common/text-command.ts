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

/** What the commands that read lines have in common. */
export abstract class TextCommand extends AlbertkitCommand {
  /** Number of texts whose end was cut off. */
  #cut = 0

  /** Says what happens while the input of a job is read. */
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

  /** Computes the shard that is asked for; false where none is. */
  protected async runShard(
    command: ShardCommand,
    job: TextJob,
    { shard, output, errors }: ShardFlags,
  ): Promise<boolean> {
    if (shard === undefined) return false
    if (errors !== undefined)
      throw usage('the lines that a shard cannot use lie beside it', { hint: 'merge --errors FILE joins them' })
    const { runTextShard } = await import('../../api/sharded/shards.js')
    const { shardDocument, shardText } = await import('../../report/text/short.js')
    const report = await runTextShard(command, job, shard, output, await this.listener(job))
    await this.finish(shardDocument(report), () => shardText(report))
    return true
  }

  /** Ends a command whose lines are written. Lines that could not be used and that no file has are exit code 3. */
  protected async finishLines(report: TextFileReport, errors: string | undefined): Promise<void> {
    const exitCode = report.bad > 0 && errors === undefined ? 3 : 0
    if (this.#cut > 1) this.talk(`${this.#cut} texts were cut off`)
    if (report.output === null) {
      if (exitCode !== 0) await this.end(exitCode)
      return
    }
    const { textFileText } = await import('../../report/text/short.js')
    await this.finish(report, () => textFileText(report), exitCode)
  }
}
