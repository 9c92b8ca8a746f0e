import { AlbertkitCommand } from './common/base.js'
import { argument } from './common/flags.js'
import { withFlags } from './common/option-flags.js'

export default class Check extends AlbertkitCommand {
  static override summary = 'Compare a converted directory with its manifest.'
  static override description =
    'Reads every file that albertkit.json lists and compares size and SHA-256; files that are missing, changed, or ' +
    'would be loaded although no conversion wrote them end with exit code 1. Every command that reads a converted ' +
    'model refuses changed files of it.'
  static override examples = [
    { description: 'A directory that `convert` wrote', command: '<%= config.bin %> <%= command.id %> out' },
    { description: 'For a machine', command: '<%= config.bin %> <%= command.id %> out --json' },
  ]
  static override args = { directory: argument({ description: 'directory that `convert` wrote', required: true }) }
  static override flags = {}

  async run(): Promise<void> {
    const { args } = await this.parse(Check)
    const { checkDirectory } = await import('../api/check/check.js')
    const { checkText } = await import('../report/text/check.js')
    const report = await checkDirectory(args.directory, {
      onProgress: (step) => {
        this.progress(step)
      },
    })
    await this.finish(report, () => withFlags(checkText(report, this.width)), report.ok)
  }
}
