import * as Flags from '@oclif/core/flags'
import { usage } from '../base/errors.js'
import { omitUndefined } from '../base/omit-undefined.js'
import { AlbertkitCommand } from './common/base.js'
import { argument, modelFlags, openOptions } from './common/flags.js'
import { withFlags } from './common/option-flags.js'

export default class Finetune extends AlbertkitCommand {
  static override summary = "Train a model further, as BERT's run_classifier does, without TensorFlow or PyTorch."
  static override description =
    "The optimizers are those of BERT's optimization.py and of the ALBERT repositories (LAMB). With --batches the " +
    'steps are taken on batches that are given, by a recipe, for comparison with the original code.'
  static override examples = [
    {
      description: 'Batches that are given, and the gradients of the first one',
      command:
        '<%= config.bin %> <%= command.id %> MODEL --batches batches.safetensors --recipe train.json --steps 3 ' +
        '-o trained --save-gradients gradients.safetensors',
    },
  ]
  static override args = {
    model: argument({ description: 'the model to start from: whatever `inspect` reads', required: true }),
  }
  static override flags = {
    ...modelFlags,
    batches: Flags.string({
      description: 'safetensors with the batch of each step: input_ids_0, input_mask_0, segment_ids_0, label_ids_0 …',
      helpValue: 'FILE',
      dependsOn: ['recipe'],
    }),
    recipe: Flags.string({
      description: 'JSON with init_learning_rate, train_steps, warmup_steps, optimizer …; with --batches',
      helpValue: 'FILE',
      dependsOn: ['batches'],
    }),
    steps: Flags.integer({ description: 'steps to take; default: all', min: 1, helpValue: 'N' }),
    output: Flags.string({ char: 'o', description: 'directory of the trained model', helpValue: 'DIR' }),
    'save-gradients': Flags.string({
      description: 'write the gradients of the first step, before clipping, to this safetensors file',
      helpValue: 'FILE',
      dependsOn: ['batches'],
    }),
    slots: Flags.boolean({
      description: "write the optimizer's slots and global_step into a TensorFlow checkpoint; with --batches",
      default: true,
      allowNo: true,
    }),
    threads: Flags.integer({ description: 'threads inside an operation', default: 1, min: 1, max: 256 }),
    seed: Flags.integer({ description: 'seed of a new head', default: 0 }),
    force: Flags.boolean({ description: 'overwrite existing outputs' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Finetune)
    const { batches, recipe } = flags
    if (batches === undefined || recipe === undefined)
      throw usage('--batches and --recipe are absent', { code: 'option-missing' })
    const { trainBatches } = await import('../api/finetune/train-batches.js')
    const { batchesText, stepLine } = await import('../report/text/finetune.js')
    const report = await trainBatches(args.model, batches, recipe, {
      ...openOptions(flags),
      ...omitUndefined({ steps: flags.steps, output: flags.output, saveGradients: flags['save-gradients'] }),
      slots: flags.slots,
      threads: flags.threads,
      seed: flags.seed,
      force: flags.force,
      onStep: (step) => {
        this.progress(stepLine(step))
      },
    })
    await this.finish(report, () => withFlags(batchesText(report)), report.ok)
  }
}
