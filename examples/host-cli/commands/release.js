import { Args, Command, Flags } from '@oclif/core'

/** A command of the host that runs one of albertkit, with flags of its own. */
export default class Release extends Command {
  static summary = 'Convert a model for release: ONNX in float32 and int8, verified.'
  static args = { model: Args.string({ description: 'checkpoint to release', required: true }) }
  static flags = {
    to: Flags.string({ description: 'directory to write', default: 'release', helpValue: 'DIR' }),
  }

  async run() {
    const { args, flags } = await this.parse(Release)
    await this.config.runCommand('albertkit:convert', [args.model, '--to', 'onnx:f32,int8', '-o', flags.to, '--quiet'])
    this.log(`released ${args.model} in ${flags.to}`)
  }
}
