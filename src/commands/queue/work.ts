import * as Flags from '@oclif/core/flags'
import { AlbertkitCommand } from '../common/base.js'
import { queueFlags } from '../common/flags.js'

export default class QueueWork extends AlbertkitCommand {
  static override summary = 'Compute shards from a queue until told to stop.'
  static override description = `Any number of workers, on any number of machines that share a file system, may do this at once. The shard of a worker that dies is given to another when its lock has run out; a shard may so be computed twice, which writes the same bytes. A Redis server that restarts is waited for.`
  static override examples = [
    {
      description: 'Until nothing is left',
      command: '<%= config.bin %> <%= command.id %> --until-empty || test $? = 6',
    },
  ]
  static override flags = {
    ...queueFlags,
    concurrency: Flags.integer({ description: 'shards at a time', default: 1, min: 1 }),
    threads: Flags.integer({ description: 'threads of a shard; one a core if left out', min: 1 }),
    'until-empty': Flags.boolean({ description: 'stop when the queue holds nothing more to do' }),
    lock: Flags.integer({ description: 'seconds of silence after which a worker counts as dead', default: 30, min: 2 }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(QueueWork)
    const { workQueue } = await import('../../api/sharded/queue.js')
    const report = await workQueue({
      redis: flags.redis,
      queue: flags.queue,
      concurrency: flags.concurrency,
      untilEmpty: flags['until-empty'],
      lockSeconds: flags.lock,
      ...(flags.threads === undefined ? {} : { threads: flags.threads }),
      onEvent: (line) => {
        this.talk(line)
      },
    })
    await this.finish(report, () => `${report.done} jobs done, ${report.failed} attempts failed`)
  }
}
