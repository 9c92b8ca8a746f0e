import * as Flags from '@oclif/core/flags'
import { TASK_NAMES, type ResolvedTask } from '../model/tasks.js'
import { AlbertkitCommand } from './common/base.js'
import { argument, modelFlags, openOptions } from './common/flags.js'
import { outputFlags, printer, writeFiles, type Showable } from './common/output.js'

export default class Weights extends AlbertkitCommand {
  static override summary =
    'Examine the weights: NaN, untrained heads, classes that cannot win, unused dimensions, copies.'
  static override description =
    'Reads every tensor once and reports problems in plain words. If accuracy stays at 1/(number of classes), ' +
    'there are two common reasons: the checkpoint did not provide the variables of the model (--against CONFIG, ' +
    'the configuration of the fine-tuned model, lists them), or training did not change them (--before CKPT, the ' +
    'checkpoint at which it started, lists them). Exit code 1 if a value is NaN or infinite, or if the checkpoint ' +
    'lacks variables of its own configuration; other findings do not change it.'
  static override examples = [
    { description: 'Is this model healthy?', command: '<%= config.bin %> <%= command.id %> fixtures/zh-news' },
    {
      description: 'Variables of a model that the checkpoint does not provide',
      command:
        '<%= config.bin %> <%= command.id %> fixtures/zh-news --against fixtures/zh-news/albert_config.json ' +
        '--task classify',
    },
    {
      description: 'Variables that training did not change',
      command: '<%= config.bin %> <%= command.id %> fixtures/zh-news --before fixtures/zh-news',
    },
  ]
  static override args = { model: argument({ description: 'model to examine', required: true }) }
  static override flags = {
    ...modelFlags,
    against: Flags.string({
      description: 'configuration of a model: list the variables that the checkpoint lacks',
      helpValue: 'CONFIG',
    }),
    task: Flags.string({
      description: "task of that model; default: the checkpoint's heads and the classifier that CONFIG describes",
      options: [...TASK_NAMES],
      dependsOn: ['against'],
    }),
    before: Flags.string({
      description: 'earlier checkpoint: list the variables that did not change',
      helpValue: 'CKPT',
    }),
    ...outputFlags,
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Weights)
    const { analyseWeights } = await import('../api/weights/weights.js')
    const { weightsCsvTable, weightsTables } = await import('../report/text/weights.js')
    const { spectrumChart, tensorsChart } = await import('../report/chart/weights.js')
    const report = await analyseWeights(args.model, {
      ...openOptions(flags),
      ...(flags.against === undefined ? {} : { targetConfig: flags.against }),
      ...(flags.task === undefined ? {} : { task: flags.task as ResolvedTask }),
      ...(flags.before === undefined ? {} : { earlierCheckpoint: flags.before }),
      onProgress: (step) => {
        this.progress(step)
      },
    })
    const spectrum = spectrumChart(report)
    const show: Showable = {
      tables: () => weightsTables(report),
      csv: () => weightsCsvTable(report),
      charts: [(look) => tensorsChart(report, look), ...(spectrum === null ? [] : [() => spectrum])],
      page: async () => (await import('./common/page.js')).weightsPage(report),
    }
    for (const file of await writeFiles(show, flags)) this.talk(`wrote ${file}`)
    await this.finish(report, await printer(show, flags), report.ok)
  }
}
