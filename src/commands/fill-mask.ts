import * as Flags from '@oclif/core/flags'
import { AlbertkitCommand } from './common/base.js'
import { argument, selectFlags, selectOptions } from './common/flags.js'
import { besideFlags, besideOptions, casedOptions, tokenizerFlags } from './common/text-flags.js'

export default class FillMask extends AlbertkitCommand {
  static override summary = 'Predict the tokens for each [MASK] in a text.'
  static override description =
    'Runs the masked-token head and prints the most probable tokens for each [MASK] with their probabilities.'
  static override examples = [
    {
      description: 'One mask',
      command: "<%= config.bin %> <%= command.id %> fixtures/zh-news '主队逆转取胜，夺得冠[MASK]'",
    },
    {
      description: 'Two, the three best of each',
      command: "<%= config.bin %> <%= command.id %> fixtures/zh-news '央行[MASK]调存款准备金[MASK]' --top 3",
    },
  ]
  static override args = {
    model: argument({ description: 'the model', required: true }),
    text: argument({ description: 'the text', required: true }),
  }
  static override flags = {
    ...tokenizerFlags,
    ...selectFlags,
    ...besideFlags,
    top: Flags.integer({ description: 'number of tokens for each mask', default: 5, min: 1, max: 1000 }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(FillMask)
    const { fillMask } = await import('../api/inference/single.js')
    const { maskText } = await import('../report/text/short.js')
    const { taken: notes, onNote } = this.noteTaker()
    const options = { top: flags.top, ...casedOptions(flags), ...besideOptions(flags), ...selectOptions(flags), onNote }
    const masks = await fillMask(args.model, args.text, options)
    await this.finish({ text: args.text, masks, notes }, () => maskText(masks))
  }
}
