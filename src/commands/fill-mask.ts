import * as Flags from '@oclif/core/flags'
import { argument, selectFlags, selectOptions } from './common/flags.js'
import { TextCommand } from './common/text-command.js'
import { besideFlags, besideOptions, casedOptions, tokenizerFlags } from './common/text-flags.js'
import { listenerOf } from './common/text-talk.js'

export default class FillMask extends TextCommand {
  static override summary = 'Predict the tokens for each [MASK] in a text.'
  static override description =
    'Runs the masked-token head and prints the most probable tokens for each [MASK] with their probabilities. With - ' +
    'as the text it reads lines of standard input, and writes a line of JSON for each, in order, while it reads. A ' +
    'line that cannot be used is reported and skipped; the exit code is then 3.'
  static override examples = [
    {
      description: 'One mask',
      command: "<%= config.bin %> <%= command.id %> fixtures/zh-news '主队逆转取胜，夺得冠[MASK]'",
    },
    {
      description: 'Two, the three best of each',
      command: "<%= config.bin %> <%= command.id %> fixtures/zh-news '央行[MASK]调存款准备金[MASK]' --top 3",
    },
    {
      description: 'Lines from a pipe',
      command: "echo '主队逆转取胜，夺得冠[MASK]' | <%= config.bin %> <%= command.id %> fixtures/zh-news - --top 1",
    },
  ]
  static override args = {
    model: argument({ description: 'the model', required: true }),
    text: argument({ description: 'the text; - reads lines of standard input', required: true }),
  }
  static override flags = {
    ...tokenizerFlags,
    ...selectFlags,
    ...besideFlags,
    top: Flags.integer({ description: 'number of tokens for each mask', default: 5, min: 1, max: 1000 }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(FillMask)
    const selected = { ...casedOptions(flags), ...besideOptions(flags), ...selectOptions(flags) }
    if (args.text === '-') {
      const { fillMaskLines } = await import('../api/inference/fill-file.js')
      const listener = { ...listenerOf(this.speaker, {}), gone: this.readerGone }
      const put = (line: string) => this.put(line)
      await this.finishLines(await fillMaskLines(args.model, { ...selected, top: flags.top }, put, listener), undefined)
      return
    }
    const { fillMask } = await import('../api/inference/single.js')
    const { maskText } = await import('../report/text/short.js')
    const { taken: notes, onNote } = this.noteTaker()
    const masks = await fillMask(args.model, args.text, { ...selected, top: flags.top, onNote })
    await this.finish({ text: args.text, masks, notes }, () => maskText(masks))
  }
}
