import * as Flags from '@oclif/core/flags'
import { AlbertkitCommand } from '../common/base.js'
import { queueFlags, redisOptions } from '../common/flags.js'

export default class QueueWork extends AlbertkitCommand {
  static override summary = 'Compute shards from a queue until interrupted.'
  static override description =
    'Any number of workers may run at once, on machines that share a file system. The shard of a worker that dies is ' +
    'given to another worker when its lock expires; a shard may thus be computed twice, which writes the same bytes. ' +
    'After a restart of Redis the workers reconnect. Jobs come from whoever can write to Redis: a job replaces only ' +
    'files that were there when it was submitted with leave to replace them, and with --root it keeps to these ' +
    'folders. It runs in a process of its own, so that one that crashes fails and the worker goes on.'
  static override examples = [
    {
      description: 'Until nothing is left',
      command: '<%= config.bin %> <%= command.id %> --until-empty || test $? = 6',
    },
  ]
  static override flags = {
    ...queueFlags,
    concurrency: Flags.integer({ description: 'number of concurrent shards', default: 1, min: 1 }),
    threads: Flags.integer({ description: 'threads per shard; default: one per core', min: 1 }),
    'until-empty': Flags.boolean({ description: 'stop when the queue is empty' }),
    root: Flags.string({
      description:
        'folder that jobs may read and write; others are refused, links resolved. May be repeated; default: any',
      helpValue: 'DIR',
      multiple: true,
      multipleNonGreedy: true,
    }),
    timeout: Flags.integer({ description: 'seconds that a job may take', min: 1 }),
    lock: Flags.integer({
      description: 'seconds without a sign of life after which a worker counts as dead',
      default: 30,
      min: 2,
    }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(QueueWork)
    const { workQueue } = await import('../../api/sharded/queue.js')
    const report = await workQueue({
      redis: redisOptions(flags),
      queue: flags.queue,
      concurrency: flags.concurrency,
      untilEmpty: flags['until-empty'],
      lockSeconds: flags.lock,
      threads: flags.threads,
      roots: flags.root,
      timeout: flags.timeout,
      onEvent: (line) => {
        this.talk(line)
      },
    })
    await this.finish(report, () => `${report.done} jobs done, ${report.failed} attempts failed`)
  }
}
