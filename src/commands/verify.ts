import * as Flags from '@oclif/core/flags'
import { RUNNERS } from '../runtime/runners.js'
import { AlbertkitCommand } from './common/base.js'
import { withFlags } from './common/option-flags.js'
import { argument, boundFlag, browserFlag, modelFlags, openOptions } from './common/flags.js'
import { writeCharts } from './common/output.js'
import { verifyOptions } from './common/verify-flags.js'

export default class Verify extends AlbertkitCommand {
  static override summary = 'Verify that converted models, or the source itself, compute the expected outputs.'
  static override description =
    'Runs the source in a float64 reference and each artefact in real runtimes, on inputs with padding, two ' +
    'segments and odd lengths, and compares every output and, bit for bit, every weight. With --golden the ' +
    'expected outputs come from a file that TensorFlow or PyTorch computed. Exit code 1 if anything differs, or if ' +
    'nothing was compared.'
  static override examples = [
    {
      description: 'The source against outputs of TensorFlow',
      command: '<%= config.bin %> <%= command.id %> fixtures/zh-news --golden fixtures/zh-news/golden.safetensors',
    },
    {
      description: 'Artefacts that `convert` wrote',
      command: '<%= config.bin %> <%= command.id %> fixtures/zh-news out',
    },
    {
      description: 'Layer by layer in one runtime',
      command: '<%= config.bin %> <%= command.id %> fixtures/zh-news out --layers --runner onnxruntime',
    },
    {
      description: 'Operation by operation, as a table and a picture',
      command: '<%= config.bin %> <%= command.id %> fixtures/zh-news out --bisect --svg operations.svg --force',
    },
    {
      description: 'On real sentences',
      command: '<%= config.bin %> <%= command.id %> fixtures/zh-news out --text fixtures/zh-news/test.tsv',
    },
  ]
  static override args = {
    model: argument({ description: 'the source', required: true }),
    artefacts: argument({
      description: 'directory that `convert` wrote; without it the source runs in TensorFlow.js itself',
    }),
  }
  static override flags = {
    ...modelFlags,
    runner: Flags.string({
      description: `runtime to use, or reference: ${RUNNERS.filter(({ device }) => device !== 'gpu')
        .map(({ name }) => name)
        .join(', ')}, or one on a GPU; may be repeated`,
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'NAME',
    }),
    golden: Flags.string({
      description: 'safetensors or npz file of inputs and expected outputs',
      helpValue: 'FILE',
    }),
    atol: boundFlag(),
    gpu: Flags.boolean({
      description: 'use every available GPU runtime; exit code 6 if there is none',
      exclusive: ['runner'],
    }),
    adapter: Flags.string({ description: 'part of the name of the GPU to use', helpValue: 'NAME' }),
    'allow-software': Flags.boolean({ description: 'let a software adapter, such as SwiftShader, count as a GPU' }),
    browser: browserFlag,
    layers: Flags.boolean({
      description: 'compare every hidden state; name the first layer that diverges, and in it the first operation',
    }),
    bisect: Flags.boolean({ description: 'compare every operation by itself, and name the first that diverges' }),
    text: Flags.string({
      description: "lines of text as inputs, through the model's tokenizer; also TSV, CSV, JSON lines",
      helpValue: 'FILE',
      exclusive: ['golden'],
    }),
    against: Flags.string({
      description: 'another model, whose outputs are the expected ones',
      helpValue: 'MODEL',
      exclusive: ['golden'],
    }),
    save: Flags.string({
      description: 'write the widest inputs and their reference outputs as a golden',
      helpValue: 'FILE',
      exclusive: ['golden'],
    }),
    svg: Flags.string({
      description: 'draw the results of --layers or --bisect into this SVG file',
      helpValue: 'FILE',
    }),
    png: Flags.string({ description: 'the same as PNG', helpValue: 'FILE' }),
    look: Flags.string({ description: 'look of the picture', options: ['light', 'dark'], default: 'light' }),
    force: Flags.boolean({ description: 'overwrite existing files' }),
  }

  protected override readonly reportIsResult = false

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Verify)
    const { verifyModel } = await import('../api/verify/verify.js')
    const { verifyText } = await import('../report/text/verify.js')
    const report = await verifyModel(args.model, args.artefacts ?? null, {
      ...openOptions(flags),
      ...verifyOptions(flags),
      onProgress: (step) => {
        this.progress(step)
      },
    })
    if (flags.svg !== undefined || flags.png !== undefined) {
      const { verifyCharts } = await import('../report/chart/verify.js')
      await writeCharts(verifyCharts(report), flags)
    }
    await this.finish(report, () => withFlags(verifyText(report, this.width)), report.ok)
  }
}
