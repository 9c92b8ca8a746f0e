import * as Flags from '@oclif/core/flags'
import { usage } from '../../base/errors.js'
import { AlbertkitCommand } from '../common/base.js'
import { argument, queueFlags, redisOptions } from '../common/flags.js'
import { jobOf, textFlags } from '../common/text-flags.js'
import { vectorFlags, vectorOptions } from '../common/vector-flags.js'

/** Flags of jobs: a worker has its own `threads`, and unusable lines are written next to the output. */
const { errors: _errors, threads: _threads, ...flagsOfJobs } = textFlags

export default class QueueSubmit extends AlbertkitCommand {
  static override summary = 'Add the shards of a file to a queue, to be computed by any number of workers.'
  static override description =
    'Creates a BullMQ flow on Redis: a job for each shard, and one that merges them when all are done. Model, text ' +
    'and output are paths that must be valid on every worker. The report of evaluate is written as JSON. The same ' +
    'request submitted twice runs once. Needs the packages bullmq and ioredis.'
  static override examples = [
    {
      description: 'Classify a file in sixteen shards',
      command:
        '<%= config.bin %> <%= command.id %> predict fixtures/zh-news fixtures/zh-news/train.tsv --shards 16 ' +
        '-o predictions.jsonl || test $? = 6',
    },
  ]
  static override args = {
    command: argument({ description: 'command to run', required: true, options: ['predict', 'evaluate', 'embed'] }),
    model: argument({ description: 'the model', required: true }),
    file: argument({ description: 'the text', required: true }),
  }
  static override flags = {
    ...flagsOfJobs,
    ...queueFlags,
    format: Flags.string({
      description: 'format of the answers: jsonl, tsv, csv or results for predict; jsonl, npy or safetensors for embed',
      options: ['jsonl', 'tsv', 'csv', 'results', 'npy', 'safetensors'],
      default: 'jsonl',
    }),
    ...vectorFlags('embed: '),
    shards: Flags.integer({ description: 'number of shards', default: 8, min: 1, max: 1_000_000 }),
    attempts: Flags.integer({ description: 'number of attempts at a shard', default: 5, min: 1 }),
    output: Flags.string({
      char: 'o',
      description: 'file for the answers; the shards are written beside it',
      required: true,
      helpValue: 'FILE',
    }),
    force: Flags.boolean({ description: 'overwrite an existing file' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(QueueSubmit)
    if (args.file === '-')
      throw usage('standard input cannot be sharded', { code: 'option-invalid', hint: 'give the path of a file' })
    const { submitJob } = await import('../../api/sharded/queue.js')
    const job = jobOf(args.model, args.file, flags, flags.format as 'jsonl')
    const report = await submitJob(
      args.command as 'predict',
      { ...job, ...vectorOptions(flags) },
      { ...flags, redis: redisOptions(flags) },
    )
    const { submitText } = await import('../../report/text/short.js')
    await this.finish(report, () => submitText(report))
  }
}
