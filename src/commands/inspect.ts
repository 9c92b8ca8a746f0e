import { existsSync } from 'node:fs'
import * as Flags from '@oclif/core/flags'
import { AlbertkitCommand } from './common/base.js'
import { argument, modelFlags, openOptions } from './common/flags.js'
import { withFlags } from './common/option-flags.js'

/** `inspect ckpt MODEL` means `inspect MODEL`; `ckpt` alone is the folder ./ckpt if there is one. */
export function modelArgument(first: string | undefined, second: string | undefined): string {
  if (second !== undefined) return second
  return first === undefined || (first === 'ckpt' && !existsSync(first)) ? '.' : first
}

export default class Inspect extends AlbertkitCommand {
  static override summary = 'Identify a model file: format, family, variables, and parameters by part.'
  static override description =
    'MODEL is a directory or one of its files: a TensorFlow checkpoint (V1, V2; also by its prefix), a SavedModel or ' +
    'TF-Hub module, a frozen graph (.pb), safetensors, a file of PyTorch or Keras (HDF5), arrays of NumPy (.npz), an ' +
    'archive of any of these, or an artefact of albertkit; or hf:ORG/NAME[@REVISION][/FOLDER], a model of the ' +
    'Hugging Face hub or its local cache, or an https:// address. `inspect ckpt MODEL` means the same.'
  static override examples = [
    { description: 'A checkpoint in a folder', command: '<%= config.bin %> <%= command.id %> fixtures/zh-news' },
    { description: 'Every variable by name', command: '<%= config.bin %> <%= command.id %> fixtures/zh-news --all' },
    { description: 'For a machine', command: '<%= config.bin %> <%= command.id %> fixtures/zh-news --json' },
  ]
  static override args = {
    model: argument({ description: 'the model; the current directory if left out' }),
    ckpt: argument({ description: 'the model, if the first word is `ckpt`', hidden: true }),
  }
  static override flags = {
    ...modelFlags,
    'write-config': Flags.string({
      description: 'save a draft of the configuration, if the model has none',
      helpValue: 'FILE',
    }),
    all: Flags.boolean({ description: 'list every variable instead of one line for all layers' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Inspect)
    if (args.ckpt !== undefined && args.model !== 'ckpt') this.error(`unexpected argument: ${args.ckpt}`, { exit: 2 })
    const { inspectModel } = await import('../api/inspect/inspect.js')
    const { inspectText } = await import('../report/text/inspect.js')
    const report = await inspectModel(modelArgument(args.model, args.ckpt), {
      ...openOptions(flags),
      ...(flags['write-config'] === undefined ? {} : { writeConfig: flags['write-config'] }),
    })
    await this.finish(report, () => withFlags(inspectText(report, flags.all, this.width)), report.ok ? 0 : 3)
  }
}
