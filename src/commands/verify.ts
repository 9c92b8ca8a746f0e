import { argument } from './args.js'
import * as Flags from '@oclif/core/flags'
import { AlbertkitCommand } from './base.js'
import { boundFlag, modelFlags, openOptions } from './flags.js'

export default class Verify extends AlbertkitCommand {
  static override summary = 'Prove that converted models, or the source itself, compute what they should.'
  static override description = `Runs the source through a float64 reference and each artefact through real runtimes, on inputs with padding, two segments and odd lengths, and compares every output and, bit for bit, every weight. With --golden the arbiter is a file of outputs that TensorFlow or PyTorch computed. Exit code 1 when anything differs, or when nothing was compared.`
  static override examples = [
    { description: 'The source against outputs of TensorFlow', command: '<%= config.bin %> <%= command.id %> fixtures/zh-news --golden fixtures/zh-news/golden.safetensors' },
    { description: 'Artefacts that `convert` wrote', command: '<%= config.bin %> <%= command.id %> fixtures/zh-news out' },
    { description: 'Layer by layer in one runtime', command: '<%= config.bin %> <%= command.id %> fixtures/zh-news out --layers --runner onnxruntime' },
  ] // prettier-ignore
  static override args = {
    model: argument({ description: 'the source', required: true }),
    artefacts: argument({
      description: 'directory that `convert` wrote; without it the source runs in TensorFlow.js itself',
    }),
  }
  static override flags = {
    ...modelFlags,
    runner: Flags.string({ description: 'runtime to use: reference, onnxruntime, tfjs-cpu, tfjs-wasm; may be repeated', multiple: true, helpValue: 'NAME' }), // prettier-ignore
    golden: Flags.string({ description: 'safetensors file of inputs and expected outputs', helpValue: 'FILE' }),
    atol: boundFlag(),
    layers: Flags.boolean({ description: 'compare every hidden state and name the first layer that diverges' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Verify)
    const { verifyModel } = await import('../api/verify.js')
    const { verifyText } = await import('../report/verify.js')
    const report = await verifyModel(args.model, args.artefacts ?? null, {
      ...openOptions(flags),
      ...(flags.runner === undefined ? {} : { runners: flags.runner }),
      ...(flags.golden === undefined ? {} : { golden: flags.golden }),
      ...(flags.atol === undefined ? {} : { atol: flags.atol }),
      layers: flags.layers,
      onProgress: (what) => {
        this.progress(what)
      },
    })
    await this.finish(report, () => verifyText(report), report.ok)
  }
}
