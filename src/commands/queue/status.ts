import { AlbertkitCommand } from '../common/base.js'
import { queueFlags, redisOptions } from '../common/flags.js'

export default class QueueStatus extends AlbertkitCommand {
  static override summary = 'Show the jobs of a queue and the progress of each file.'
  static override description =
    'Prints the jobs by state and, for each submitted file, the number of finished shards, or the error if it failed.'
  static override examples = [
    { description: 'On this machine', command: '<%= config.bin %> <%= command.id %> || test $? = 6' },
  ]
  static override flags = queueFlags

  async run(): Promise<void> {
    const { flags } = await this.parse(QueueStatus)
    const { queueStatus } = await import('../../api/sharded/status.js')
    const { queueText } = await import('../../report/text/short.js')
    const report = await queueStatus(redisOptions(flags), flags.queue)
    await this.finish(report, () => queueText(report))
  }
}
