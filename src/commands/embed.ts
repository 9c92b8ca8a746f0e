import * as Flags from '@oclif/core/flags'
import { TextCommand } from './common/text-command.js'
import { argument } from './common/flags.js'
import { usage } from '../base/errors.js'
import { jobOf, shardFlag, textFlags } from './common/text-flags.js'
import { vectorFlags, vectorOptions } from './common/vector-flags.js'

export default class Embed extends TextCommand {
  static override summary = 'Turn lines of text into vectors.'
  static override description =
    'Writes the vector of each line as JSON lines or as a float32 matrix for NumPy (npy) or safetensors; a line ' +
    'that cannot be used has no row. A sentence-transformers folder is followed: pooling, Dense, LayerNorm, ' +
    'Normalize, prompts and limits; of any other model the mean of the last hidden state is taken. With ' +
    '--cosine, prints each line with the cosine similarity of its vector and that of the given text. --text, given ' +
    'twice, compares two texts.'
  static override examples = [
    {
      description: 'Vectors of lines',
      command: '<%= config.bin %> <%= command.id %> fixtures/zh-news fixtures/zh-news/labels.txt',
    },
    {
      description: 'Similarity of each line to a text',
      command: "<%= config.bin %> <%= command.id %> fixtures/zh-news fixtures/zh-news/labels.txt --cosine '足球'",
    },
    {
      description: 'Similarity of two texts',
      command: "<%= config.bin %> <%= command.id %> fixtures/zh-news --text '主队逆转取胜' --text '客队夺得冠军'",
    },
    {
      description: 'A matrix for NumPy',
      command:
        '<%= config.bin %> <%= command.id %> fixtures/zh-news fixtures/zh-news/labels.txt --format npy -o labels.npy',
    },
  ]
  static override args = {
    model: argument({ description: 'the model', required: true }),
    file: argument({ description: 'the text; - is standard input', default: '-' }),
  }
  static override flags = {
    ...textFlags,
    ...vectorFlags(),
    cosine: Flags.string({ description: 'a text to compare each line with', helpValue: 'TEXT' }),
    text: Flags.string({
      description: 'instead of a file: two texts; prints the cosine similarity of their vectors',
      helpValue: 'TEXT',
      multiple: true,
      multipleNonGreedy: true,
      exclusive: ['cosine', 'shard'],
    }),
    format: Flags.string({
      description: 'format of the vectors',
      options: ['jsonl', 'npy', 'safetensors'],
      default: 'jsonl',
    }),
    output: Flags.string({ char: 'o', description: 'file to write to; with --shard the directory', helpValue: 'PATH' }),
    shard: shardFlag({ exclusive: ['cosine'] }),
    force: Flags.boolean({ description: 'overwrite an existing file' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Embed)
    const job = { ...jobOf(args.model, args.file, flags, flags.format as 'jsonl'), ...vectorOptions(flags) }
    const listener = await this.listener(job)
    if (flags.text !== undefined) {
      const [a, b, ...more] = flags.text
      if (a === undefined || b === undefined || more.length > 0)
        throw usage('--text must be given twice: it compares two texts', { code: 'option-invalid' })
      const { similarity } = await import('../api/inference/embed-file.js')
      const notes = this.noteTaker()
      const report = await similarity(job, [a, b], notes.onNote)
      await this.finish({ ...report, notes: notes.taken }, () => report.cosine.toFixed(6))
      return
    }
    if (await this.runShard('embed', job, flags)) return
    const { embedFile } = await import('../api/inference/embed-file.js')
    const report = await embedFile(job, flags, (line) => this.put(line), listener)
    await this.finishLines(report, flags.errors)
  }
}
