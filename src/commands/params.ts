import type { OnProgress } from '../base/abort.js'
import * as Flags from '@oclif/core/flags'
import { AlbertkitCommand } from './common/base.js'
import { argument, modelFlags, openOptions } from './common/flags.js'
import { outputFlags, printer, writeFiles, type Showable } from './common/output.js'
import { askedFor, whatIfFlags } from './common/params-flags.js'

export default class Params extends AlbertkitCommand {
  static override summary = "Count parameters, operations and memory: the paper's arithmetic for any model."
  static override description =
    'Counts a model, a preset, a configuration without weights, or hypothetical sizes: embeddings as V·H against ' +
    'V·E + E·H, every part as a formula and a number, stored and used, bytes by element type, operations, ' +
    'activations. Sharing shrinks storage, not computation. --paper prints the tables of Lan et al. 2019 beside ' +
    'the computed values.'
  static override examples = [
    { description: 'A published size', command: '<%= config.bin %> <%= command.id %> --preset albert-base' },
    {
      description: 'A file against published sizes',
      command: '<%= config.bin %> <%= command.id %> fixtures/zh-news --compare albert-base,bert-base',
    },
    {
      description: 'What if',
      command:
        '<%= config.bin %> <%= command.id %> --preset albert-base --embedding-size 64,128,256,768 --share none,all',
    },
    { description: "The paper's tables", command: '<%= config.bin %> <%= command.id %> --paper' },
    {
      description: 'A self-contained HTML page',
      command: '<%= config.bin %> <%= command.id %> fixtures/zh-news --compare bert-base --report params-page',
    },
  ]
  static override args = {
    model: argument({ description: 'models to count', multiple: true }),
  }
  static override flags = {
    ...modelFlags,
    config: Flags.string({
      description: 'configuration of the model; without MODEL it is counted by itself',
      helpValue: 'FILE',
    }),
    paper: Flags.boolean({ description: "print the paper's tables beside the computed values" }),
    ...whatIfFlags,
    ...outputFlags,
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Params)
    const told: OnProgress = (step) => {
      this.progress(step)
    }
    const { report, show, ok } = flags.paper ? await paper() : await counted(args.model ?? [], flags, told)
    for (const file of await writeFiles(show, flags)) this.talk(`wrote ${file}`)
    await this.finish(report, await printer(show, flags), ok)
  }
}

interface Result {
  readonly report: object
  readonly show: Showable
  readonly ok: boolean
}

async function counted(
  models: readonly string[],
  flags: Parameters<typeof askedFor>[1] & Parameters<typeof openOptions>[0],
  onProgress: OnProgress,
): Promise<Result> {
  const { countModels } = await import('../api/params/params.js')
  const { paramsCsvTable, paramsTables } = await import('../report/text/params.js')
  const { paramsChart } = await import('../report/chart/params.js')
  const report = await countModels(askedFor(models, flags))
  const show: Showable = {
    tables: () => paramsTables(report),
    csv: () => paramsCsvTable(report),
    charts: [() => paramsChart(report)],
    page: async () =>
      (await import('./common/page.js')).paramsPage(report, models, { ...openOptions(flags), onProgress }),
  }
  return { report, show, ok: report.ok }
}

async function paper(): Promise<Result> {
  const { paperReport } = await import('../api/params/params.js')
  const { paperCsvTable, paperReportTables } = await import('../report/text/paper.js')
  const { paperChart } = await import('../report/chart/params.js')
  const report = paperReport()
  const show: Showable = {
    tables: () => paperReportTables(report),
    csv: () => paperCsvTable(report),
    charts: [(look) => paperChart(report.tables, look)],
    page: async () => (await import('./common/page.js')).paperPage(report),
  }
  return { report, show, ok: true }
}
