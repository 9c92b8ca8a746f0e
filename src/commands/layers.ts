import * as Flags from '@oclif/core/flags'
import { AlbertkitCommand } from './common/base.js'
import { argument, modelFlags, openOptions } from './common/flags.js'
import { outputFlags, printer, writeFiles, type Showable } from './common/output.js'
import { withFlags } from './common/option-flags.js'

export default class Layers extends AlbertkitCommand {
  static override summary = 'Measure the effect of each layer and each attention head on the tokens.'
  static override description =
    'Runs the float64 reference and compares the input and output of each layer: L2 distance and cosine ' +
    'similarity, the mean over tokens without padding (figure 1 of Lan et al. 2019). For each attention head: the ' +
    'entropy of its attention in nats and as a fraction of the largest possible one, and the norm of its ' +
    'contribution. Layers count from 0; the input of layer 0 is that of the first layer, after the projection. ' +
    'Inner layers of the TensorFlow families count as separate layers.'
  static override examples = [
    { description: 'On built-in sentences', command: '<%= config.bin %> <%= command.id %> fixtures/zh-news' },
    {
      description: 'On your own text, as a picture',
      command: '<%= config.bin %> <%= command.id %> fixtures/zh-news --text fixtures/zh-news/test.tsv --svg layers.svg',
    },
    {
      description: 'On the inputs of a golden',
      command:
        '<%= config.bin %> <%= command.id %> fixtures/zh-news --golden fixtures/zh-news/golden.safetensors --json',
    },
  ]
  static override args = {
    model: argument({ description: 'models to analyse', required: true, multiple: true }),
  }
  static override flags = {
    ...modelFlags,
    text: Flags.string({
      description: "lines of text, through each model's tokenizer; also TSV, CSV, JSON lines",
      helpValue: 'FILE',
      exclusive: ['golden'],
    }),
    golden: Flags.string({ description: 'use the inputs of this golden', helpValue: 'FILE' }),
    ...outputFlags,
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Layers)
    const { compareLayers } = await import('../api/layers/layers.js')
    const { layersCsvTable, layersDocument, layersTables } = await import('../report/text/layers.js')
    const { headsChart, layersChart } = await import('../report/chart/layers.js')
    const models = await compareLayers(args.model, {
      ...openOptions(flags),
      ...(flags.text === undefined ? {} : { text: flags.text }),
      ...(flags.golden === undefined ? {} : { golden: flags.golden }),
      onProgress: (step) => {
        this.progress(step)
      },
    })
    const show: Showable = {
      tables: () => layersTables(models),
      csv: () => layersCsvTable(models),
      charts: [() => layersChart(models), (look) => headsChart(models, look)],
      page: async () => (await import('./common/page.js')).layersPage(models),
    }
    for (const file of await writeFiles(show, flags)) this.talk(`wrote ${file}`)
    const text = await printer(show, flags)
    await this.finish(layersDocument(models), () => withFlags(text()))
  }
}
