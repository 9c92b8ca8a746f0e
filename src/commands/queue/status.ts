import { AlbertkitCommand } from '../common/base.js'
import { queueFlags } from '../common/flags.js'

export default class QueueStatus extends AlbertkitCommand {
  static override summary = 'Show what a queue holds, and how far each file is.'
  static override description =
    'Jobs by their state, and for each file that was submitted how many of its shards are done; for one that failed, why.'
  static override examples = [
    { description: 'On this machine', command: '<%= config.bin %> <%= command.id %> || test $? = 6' },
  ]
  static override flags = queueFlags

  async run(): Promise<void> {
    const { flags } = await this.parse(QueueStatus)
    const { queueStatus } = await import('../../api/sharded/status.js')
    const { queueText } = await import('../../report/text/short.js')
    const report = await queueStatus(flags.redis, flags.queue)
    await this.finish(report, () => queueText(report))
  }
}
