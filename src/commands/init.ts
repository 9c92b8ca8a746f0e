import { CHECKPOINT_TARGETS, type CheckpointTarget } from '../base/artefact-layout.js'
import * as Flags from '@oclif/core/flags'
import { TASK_NAMES, type ResolvedTask } from '../model/tasks.js'
import { AlbertkitCommand } from './common/base.js'
import { argument } from './common/flags.js'

export default class Init extends AlbertkitCommand {
  static override summary = 'Create a random model of a published size, for testing pipelines.'
  static override description =
    "PRESET is albert-SIZE-zh (albert_zh's architecture), albert-SIZE or albert-SIZE-zh-google (Google's) with SIZE " +
    'tiny, small, base, large, xlarge or xxlarge; bert-base, bert-large; or the path of a configuration (.json). The ' +
    'weights are initialised as before training, the vocabulary is synthetic. The same seed gives the same bytes.'
  static override examples = [
    {
      description: 'A small Chinese ALBERT as albert_zh writes it',
      command: '<%= config.bin %> <%= command.id %> albert-tiny-zh -o tiny',
    },
    {
      description: 'For transformers, with a classifier of three classes',
      command: '<%= config.bin %> <%= command.id %> albert-base --to safetensors --task classify --labels 3 -o base',
    },
  ]
  static override args = {
    preset: argument({ description: 'name of a preset, or a configuration file', required: true }),
  }
  static override flags = {
    output: Flags.string({ char: 'o', description: 'directory to write', required: true, helpValue: 'DIR' }),
    to: Flags.string({
      description: 'a TensorFlow checkpoint, or safetensors as transformers has it',
      options: [...CHECKPOINT_TARGETS],
    }),
    task: Flags.string({
      description: 'task whose heads the model gets',
      options: [...TASK_NAMES],
      default: 'pretraining',
    }),
    labels: Flags.integer({ description: 'number of classes of a classifier', default: 2, min: 1, max: 1_000_000 }),
    seed: Flags.integer({ description: 'seed of the random weights', default: 0 }),
    verify: Flags.boolean({ description: 'read the result back and compare it', default: true, allowNo: true }),
    force: Flags.boolean({ description: 'overwrite the files of an existing directory' }),
  }

  protected override readonly reportIsResult = false

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Init)
    const { initModel } = await import('../api/init/init.js')
    const { initText } = await import('../report/text/short.js')
    const report = await initModel(args.preset, flags.output, {
      ...(flags.to === undefined ? {} : { target: flags.to as CheckpointTarget }),
      task: flags.task as ResolvedTask,
      labels: flags.labels,
      seed: flags.seed,
      verify: flags.verify,
      force: flags.force,
      onProgress: (step) => {
        this.progress(step)
      },
    })
    await this.finish(report, () => initText(report), report.ok)
  }
}
