import { tsvField } from '../base/escape.js'
import { toJsonLine } from '../base/json-text.js'
import * as Flags from '@oclif/core/flags'
import { AlbertkitCommand } from './common/base.js'
import { withFlags } from './common/option-flags.js'
import { argument } from './common/flags.js'
import { casedOptions, jobOf, textFlags, tokenizerFlags } from './common/text-flags.js'
import { badLineReporter } from './common/text-talk.js'

/** Flags for reading examples that `--to tfrecord` needs. */
const recordFlags = {
  labels: textFlags.labels,
  'max-seq-length': textFlags['max-seq-length'],
  'input-format': Flags.string({
    description: 'format of the lines; default: by the file name',
    options: ['lines', 'tsv', 'csv', 'jsonl'],
  }),
  header: textFlags.header,
  'text-column': textFlags['text-column'],
  'text-b-column': textFlags['text-b-column'],
  'label-column': textFlags['label-column'],
  errors: textFlags.errors,
}

const tokensLine = ({ tokens }: { readonly tokens: readonly string[] }): string => tokens.map(tsvField).join(' ')

export default class Tokenize extends AlbertkitCommand {
  static override summary = 'Split text into the tokens of a vocabulary, exactly as the original code does.'
  static override description =
    "WordPiece of BERT and albert_zh (vocab.txt), or SentencePiece of Google's ALBERT (spiece.model, read " +
    'directly) with its preprocessing; tokenizer.json of either kind. Each line in gives a line out: the tokens, ' +
    'or with --json an object with tokens, ids and offsets (in Unicode code points). Special tokens are added only ' +
    "with --special. --to tfrecord writes the features of labelled lines as in run_classifier's files, padded to " +
    '--max-seq-length; --from tfrecord prints the records of such a file.'
  static override examples = [
    {
      description: 'The tokens of each line of a file',
      command: '<%= config.bin %> <%= command.id %> fixtures/zh-news fixtures/zh-news/labels.txt',
    },
    {
      description: 'With ids and offsets, as JSON lines',
      command: '<%= config.bin %> <%= command.id %> fixtures/zh-news/vocab.txt fixtures/zh-news/labels.txt --json',
    },
    {
      description: 'Features for a run_classifier pipeline',
      command:
        '<%= config.bin %> <%= command.id %> fixtures/zh-news fixtures/zh-news/dev.tsv --to tfrecord ' +
        '--max-seq-length 64 -o dev.tf_record',
    },
    {
      description: 'Records of such a file',
      command: '<%= config.bin %> <%= command.id %> fixtures/zh-news dev.tf_record --from tfrecord',
    },
  ]
  static override args = {
    vocabulary: argument({ description: 'vocab.txt, spiece.model, tokenizer.json, or a model', required: true }),
    file: argument({ description: 'file of text lines; - is standard input', default: '-' }),
  }
  static override flags = {
    ...tokenizerFlags,
    special: Flags.boolean({ description: 'add special tokens: [CLS] before and [SEP] after' }),
    to: Flags.string({
      description: 'write features instead of tokens',
      options: ['tfrecord'],
      exclusive: ['from'],
      dependsOn: ['output'],
    }),
    from: Flags.string({ description: 'read features instead of text', options: ['tfrecord'] }),
    output: Flags.string({
      char: 'o',
      description: 'file to write the features to',
      helpValue: 'FILE',
      dependsOn: ['to'],
    }),
    force: Flags.boolean({ description: 'overwrite an existing file' }),
    ...recordFlags,
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Tokenize)
    const cased = casedOptions(flags)
    if (flags.to !== undefined) {
      const { writeRecords } = await import('../api/tokenize/records.js')
      const onBad = badLineReporter(this.speaker)
      const report = await writeRecords(jobOf(args.vocabulary, args.file, flags, 'jsonl'), { ...flags, onBad })
      const text = `wrote ${report.file}: ${report.records} records of ${report.maxSeqLength} tokens`
      await this.finish(report, () => text, report.bad > 0 && flags.errors === undefined ? 3 : 0)
      return
    }
    const { tokenizerOf, tokenizeFile } = await import('../api/tokenize/tokenize.js')
    const { until } = await import('../api/inference/pauses.js')
    if (flags.from !== undefined) {
      const { readRecords } = await import('../api/tokenize/records.js')
      const records = readRecords(args.vocabulary, args.file, { ...cased, labels: flags.labels })
      for await (const record of until(records, this.readerGone))
        if (!(await this.put(this.jsonEnabled() ? toJsonLine(record) : tokensLine(record)))) break
      return
    }
    const tokenizer = await tokenizerOf(args.vocabulary, cased)
    for (const note of tokenizer.notes ?? []) this.talk(`note: ${withFlags(note)}`)
    for await (const line of until(tokenizeFile(tokenizer, args.file, { special: flags.special }), this.readerGone))
      if (!(await this.put(this.jsonEnabled() ? toJsonLine(line) : tokensLine(line)))) break
  }
}
