import * as Flags from '@oclif/core/flags'
import { usage } from '../../base/errors.js'
import { AlbertkitCommand } from '../common/base.js'
import { argument, queueFlags } from '../common/flags.js'
import { jobOf, textFlags } from '../common/text-flags.js'

/** Workers have threads of their own, and the lines that cannot be used lie beside the output. */
const { errors: _errors, threads: _threads, ...flagsOfJobs } = textFlags

export default class QueueSubmit extends AlbertkitCommand {
  static override summary = 'Put the shards of a file into a queue, to be computed by any number of workers.'
  static override description = `A flow of BullMQ over Redis: a job for each shard, and one that joins them when all are done. Model, text and output are paths that mean the same on every worker. What evaluate finds is written as JSON. The same request handed in twice is one. Needs the packages bullmq and ioredis.`
  static override examples = [
    {
      description: 'Classify a file in sixteen shards',
      command:
        '<%= config.bin %> <%= command.id %> predict fixtures/zh-news fixtures/zh-news/train.tsv --shards 16 -o predictions.jsonl || test $? = 6',
    },
  ]
  static override args = {
    command: argument({ description: 'what to do', required: true, options: ['predict', 'evaluate', 'embed'] }),
    model: argument({ description: 'the model', required: true }),
    file: argument({ description: 'the text', required: true }),
  }
  static override flags = {
    ...flagsOfJobs,
    ...queueFlags,
    format: Flags.string({
      description: 'form of the answers: jsonl, tsv or results of predict, jsonl, npy or safetensors of embed',
      options: ['jsonl', 'tsv', 'results', 'npy', 'safetensors'],
      default: 'jsonl',
    }),
    pooling: Flags.string({ description: 'what embed makes of a line', options: ['mean', 'pooled'], default: 'mean' }),
    shards: Flags.integer({ description: 'how many', default: 8, min: 1, max: 1_000_000 }),
    attempts: Flags.integer({ description: 'how often a shard is tried', default: 5, min: 1 }),
    output: Flags.string({
      char: 'o',
      description: 'file that the answers go to; the shards lie beside it',
      required: true,
      helpValue: 'FILE',
    }),
    force: Flags.boolean({ description: 'replace an existing file' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(QueueSubmit)
    if (args.file === '-') throw usage('standard input has no shards', { hint: 'give the file by its name' })
    const { submitJob } = await import('../../api/sharded/queue.js')
    const job = jobOf(args.model, args.file, flags, flags.format as 'jsonl')
    const report = await submitJob(args.command as 'predict', { ...job, pooling: flags.pooling as 'mean' }, flags)
    await this.finish(report, () =>
      report.existed
        ? `${report.id} is in the queue ${report.queue} already`
        : `${report.id}: ${report.shards} shards of ${report.lines} lines, in the queue ${report.queue}`,
    )
  }
}
