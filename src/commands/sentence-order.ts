import { AlbertkitCommand } from './common/base.js'
import { argument, selectFlags, selectOptions } from './common/flags.js'
import { besideFlags, besideOptions, casedOptions, tokenizerFlags } from './common/text-flags.js'

export default class SentenceOrder extends AlbertkitCommand {
  static override summary = 'Predict whether two sentences are in order or swapped.'
  static override description =
    'Runs the sentence-order head of ALBERT or the next-sentence head of BERT, which predicts whether the second ' +
    'sentence follows the first.'
  static override examples = [
    {
      description: 'Two headlines',
      command: "<%= config.bin %> <%= command.id %> fixtures/zh-news '主队先失一球' '主队逆转取胜'",
    },
  ]
  static override args = {
    model: argument({ description: 'the model', required: true }),
    first: argument({ description: 'the first sentence', required: true }),
    second: argument({ description: 'the second sentence', required: true }),
  }
  static override flags = { ...tokenizerFlags, ...selectFlags, ...besideFlags }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SentenceOrder)
    const { sentenceOrder } = await import('../api/inference/single.js')
    const { orderText } = await import('../report/text/short.js')
    const { taken: notes, onNote } = this.noteTaker()
    const options = { ...casedOptions(flags), ...besideOptions(flags), ...selectOptions(flags), onNote }
    const order = await sentenceOrder(args.model, args.first, args.second, options)
    await this.finish({ ...order, notes }, () => orderText(order))
  }
}
