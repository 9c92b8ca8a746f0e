import * as Flags from '@oclif/core/flags'
import { omitUndefined } from '../base/omit-undefined.js'
import { AlbertkitCommand } from './common/base.js'
import { argument } from './common/flags.js'
import { withFlags } from './common/option-flags.js'

export default class Build extends AlbertkitCommand {
  static override summary = 'Build what has changed of the models that albertkit.config.json names.'
  static override description =
    'Reads albertkit.config.json, .yaml, .js or .ts, here or in a folder above; converts, verifies, evaluates and ' +
    'measures the models that it names, or those given. A step whose inputs, options and version of albertkit are ' +
    'those of its last success is skipped; a build that was killed goes on where it was. Budgets of size, latency, ' +
    'agreement and accuracy end it with exit code 1. The exit code is the worst of the models’.'
  static override examples = [
    { description: 'Everything that has changed', command: '<%= config.bin %> <%= command.id %>' },
    { description: 'What would be done, and why', command: '<%= config.bin %> <%= command.id %> --dry-run' },
    {
      description: 'In a pipeline',
      command: '<%= config.bin %> <%= command.id %> --junit report.xml --markdown summary.md --jobs 2',
    },
  ]
  static override strict = false
  static override args = {
    name: argument({ description: 'name of a model in the configuration; may be repeated; default: all' }),
  }
  static override flags = {
    cache: Flags.string({
      description: 'folder of what earlier builds found out; default: .albertkit beside the configuration',
      helpValue: 'DIR',
    }),
    jobs: Flags.integer({
      char: 'j',
      description: 'models built at once; default: half of the cores',
      min: 1,
      max: 256,
      helpValue: 'N',
    }),
    force: Flags.boolean({ description: 'build what has not changed too, and replace what no build wrote' }),
    'dry-run': Flags.boolean({ description: 'say what would be done and why, do nothing' }),
    junit: Flags.string({ description: 'write the steps into this file as JUnit XML', helpValue: 'FILE' }),
    markdown: Flags.string({
      description: 'write the tables into this file as Markdown, e.g. for the summary of a job',
      helpValue: 'FILE',
    }),
  }

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Build)
    const { buildModels } = await import('../api/build/build.js')
    const { buildText } = await import('../report/build/text.js')
    const { refuseForeign, writeBuildReports } = await import('../report/build/write.js')
    const { buildTasks } = await import('./common/build-tasks.js')
    refuseForeign(flags)
    const tasks = buildTasks(flags)
    const report = await buildModels({
      ...omitUndefined({ config: flags['config-file'], cache: flags.cache, jobs: flags.jobs }),
      names: argv as string[],
      force: flags.force,
      dryRun: flags['dry-run'],
      ...tasks.listener,
    }).finally(tasks.clear)
    for (const file of writeBuildReports(report, flags)) this.talk(`wrote ${file}`)
    await this.finish(report, () => withFlags(buildText(report, this.width)), report.exitCode)
  }
}
