import * as Flags from '@oclif/core/flags'
import { argument } from './args.js'
import { AlbertkitCommand } from './base.js'
import { jobOf, textFlags } from './text-flags.js'
import { badLineReporter } from './text-run.js'

export default class Embed extends AlbertkitCommand {
  static override summary = 'Turn lines of text into vectors.'
  static override description =
    'The mean of the last hidden state over the tokens of a line, or the output of the pooler, as JSON lines. With --cosine the lines are compared with that text: the cosine of the two vectors stands beside each.'
  static override examples = [
    { description: 'Vectors of lines', command: '<%= config.bin %> <%= command.id %> fixtures/zh-news fixtures/zh-news/labels.txt' },
    { description: 'How near each line is to a text', command: "<%= config.bin %> <%= command.id %> fixtures/zh-news fixtures/zh-news/labels.txt --cosine '足球'" },
  ] // prettier-ignore
  static override args = {
    model: argument({ description: 'the model', required: true }),
    file: argument({ description: 'the text; - is standard input', default: '-' }),
  }
  static override flags = {
    ...textFlags,
    pooling: Flags.string({ description: 'mean of the tokens, or the pooler', options: ['mean', 'pooled'], default: 'mean' }),
    cosine: Flags.string({ description: 'a text to compare each line with', helpValue: 'TEXT' }),
  } // prettier-ignore

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Embed)
    const { embedFile } = await import('../api/text/embed-file.js')
    const job = jobOf(args.model, args.file, flags, 'jsonl')
    const report = badLineReporter({ talk: (line) => { this.talk(line) }, progress: () => undefined }) // prettier-ignore
    const bad = await embedFile(job, flags.pooling as 'mean', flags, (line) => this.put(line), report)
    if (bad > 0 && flags.errors === undefined) await this.end(3)
  }
}
