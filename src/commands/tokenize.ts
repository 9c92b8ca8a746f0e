import { argument } from './args.js'
import * as Flags from '@oclif/core/flags'
import { AlbertkitCommand } from './base.js'
import { casedOptions, tokenizerFlags } from './text-flags.js'

export default class Tokenize extends AlbertkitCommand {
  static override summary = 'Split text into the tokens of a vocabulary, as the genuine code does.'
  static override description = `WordPiece of BERT and albert_zh (vocab.txt), or SentencePiece of Google's ALBERT (spiece.model, read directly) with its preprocessing; tokenizer.json of either kind. A line in, a line out: the tokens, or with --json an object with tokens, ids and offsets (in characters, that is Unicode code points) for each line. Special tokens are left out unless --special asks for them.`
  static override examples = [
    { description: 'The tokens of each line of a file', command: '<%= config.bin %> <%= command.id %> fixtures/zh-news fixtures/zh-news/labels.txt' },
    { description: 'With ids and offsets, as JSON lines', command: '<%= config.bin %> <%= command.id %> fixtures/zh-news/vocab.txt fixtures/zh-news/labels.txt --json' },
  ] // prettier-ignore
  static override args = {
    vocabulary: argument({ description: 'vocab.txt, spiece.model, tokenizer.json, or a model', required: true }),
    file: argument({ description: 'text, a line each; - is standard input', default: '-' }),
  }
  static override flags = {
    ...tokenizerFlags,
    special: Flags.boolean({ description: 'put [CLS] in front and [SEP] behind' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Tokenize)
    const { tokenizerOf, tokenizeFile } = await import('../api/tokenize.js')
    const tokenizer = await tokenizerOf(args.vocabulary, casedOptions(flags))
    for await (const line of tokenizeFile(tokenizer, args.file, { special: flags.special }))
      if (!(await this.put(this.jsonEnabled() ? JSON.stringify(line) : line.tokens.join(' ')))) break
  }
}
