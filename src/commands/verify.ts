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
    runner: Flags.string({ description: 'runtime to use, or reference: onnxruntime, tfjs-wasm, tfjs-cpu, tfjs-node, browser-wasm, or one on a GPU; may be repeated', multiple: true, helpValue: 'NAME' }), // prettier-ignore
    golden: Flags.string({ description: 'safetensors file of inputs and expected outputs', helpValue: 'FILE' }),
    atol: boundFlag(),
    gpu: Flags.boolean({
      description: 'use every GPU runtime at hand; none at hand is exit code 6',
      exclusive: ['runner'],
    }),
    adapter: Flags.string({ description: 'part of the name of the GPU to use', helpValue: 'NAME' }),
    'allow-software': Flags.boolean({ description: 'let a software adapter, such as SwiftShader, count as a GPU' }),
    browser: Flags.string({ description: 'Chrome or Chromium for the browser runtimes', helpValue: 'PATH' }),
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
      gpu: flags.gpu,
      allowSoftware: flags['allow-software'],
      ...(flags.adapter === undefined ? {} : { adapter: flags.adapter }),
      ...(flags.browser === undefined ? {} : { browser: flags.browser }),
      layers: flags.layers,
      onProgress: (what) => {
        this.progress(what)
      },
    })
    await this.finish(report, () => verifyText(report), report.ok)
  }
}
