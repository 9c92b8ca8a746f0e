import * as Flags from '@oclif/core/flags'
import { AlbertkitCommand } from './common/base.js'
import { argument, boundFlag, modelFlags, selectFlags, selectOptions } from './common/flags.js'
import { withFlags } from './common/option-flags.js'

export default class Diff extends AlbertkitCommand {
  static override summary = 'Compare two models slot by slot, across formats and families.'
  static override description =
    'Reports for every slot (a parameter by its role in the model) whether its values are equal, the largest ' +
    'difference and its position, or in which model it is missing. Layers that are shared in one model and copied ' +
    'in the other are compared one by one, factorised embeddings with the full table that they define. Exit code 1 ' +
    'if the models differ.'
  static override examples = [
    {
      description: 'A model and what it was converted to',
      command: '<%= config.bin %> <%= command.id %> fixtures/zh-news out-tf/tf --all',
    },
    {
      description: 'Tolerate rounding',
      command: '<%= config.bin %> <%= command.id %> fixtures/zh-news out-tf/tf --atol 1e-3',
    },
    { description: 'For a machine', command: '<%= config.bin %> <%= command.id %> fixtures/zh-news out-tf/tf --json' },
  ]
  static override args = {
    a: argument({ description: 'one model', required: true }),
    b: argument({ description: 'the other', required: true }),
  }
  static override flags = {
    'config-a': Flags.string({ description: 'configuration of A, instead of the one beside it', helpValue: 'FILE' }),
    'config-b': Flags.string({ description: 'configuration of B, instead of the one beside it', helpValue: 'FILE' }),
    checksum: modelFlags.checksum,
    ...selectFlags,
    atol: boundFlag({ description: 'tolerate differences up to this' }),
    common: Flags.boolean({ description: 'ignore slots that only one of the models has: a conversion keeps one head' }),
    all: Flags.boolean({ description: 'list equal slots too' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Diff)
    const { diffModels } = await import('../api/diff/diff.js')
    const { diffText } = await import('../report/text/diff.js')
    const report = await diffModels(args.a, args.b, {
      configs: {
        ...(flags['config-a'] === undefined ? {} : { a: flags['config-a'] }),
        ...(flags['config-b'] === undefined ? {} : { b: flags['config-b'] }),
      },
      checksum: flags.checksum,
      ...selectOptions(flags),
      common: flags.common,
      ...(flags.atol === undefined ? {} : { atol: flags.atol }),
      onProgress: (step) => {
        this.progress(step)
      },
    })
    await this.finish(report, () => withFlags(diffText(report, flags.all, this.width)), report.ok)
  }
}
