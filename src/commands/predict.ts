import * as Flags from '@oclif/core/flags'
import { TextCommand } from './common/text-command.js'
import { argument } from './common/flags.js'
import { jobOf, readingFlags, readingOptions, shardFlag, textFlags } from './common/text-flags.js'

export default class Predict extends TextCommand {
  static override summary = 'Classify or tag lines of text, or answer questions, with a model or a converted model.'
  static override description =
    "Reads lines, TSV (label, text, second text, as in run_classifier's files), CSV or JSON lines, and writes one " +
    'line for each, in order, while it reads: JSON lines with label and probabilities, TSV, or test_results.tsv as ' +
    'run_classifier writes it. A token classifier gives tags and spans, a question-answering model the best span of ' +
    'the passage --context. A directory that `convert` wrote runs as it is; any other model is first converted ' +
    'for the fastest installed runtime. Lines are processed in batches of similar length, with one thread per ' +
    'core. An interrupted run with -o leaves FILE.part; the same command resumes it. A line that cannot be used is ' +
    'reported and skipped; the exit code is then 3, unless --errors collects such lines.'
  static override examples = [
    {
      description: 'The classes of the bundled headlines',
      command: '<%= config.bin %> <%= command.id %> fixtures/zh-news fixtures/zh-news/test.tsv',
    },
    {
      description: 'From a pipe, with the converted model',
      command: "echo '央行下调存款准备金率' | <%= config.bin %> <%= command.id %> out",
    },
    {
      description: 'As run_classifier writes it',
      command:
        '<%= config.bin %> <%= command.id %> fixtures/zh-news fixtures/zh-news/test.tsv --max-seq-length 64 ' +
        '--format results',
    },
    {
      description: 'The second of eight shards',
      command: '<%= config.bin %> <%= command.id %> fixtures/zh-news fixtures/zh-news/train.tsv --shard 2/8 -o shards',
    },
  ]
  static override args = {
    model: argument({
      description: 'a model, a directory that `convert` wrote, or one of its .onnx files',
      required: true,
    }),
    file: argument({ description: 'the text; - is standard input', default: '-' }),
  }
  static override flags = {
    ...textFlags,
    ...readingFlags,
    format: Flags.string({
      description: 'format of the answers',
      options: ['jsonl', 'tsv', 'csv', 'results'],
      default: 'jsonl',
    }),
    output: Flags.string({ char: 'o', description: 'file to write to; with --shard the directory', helpValue: 'PATH' }),
    shard: shardFlag(),
    force: Flags.boolean({ description: 'overwrite an existing file' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Predict)
    const job = { ...jobOf(args.model, args.file, flags, flags.format as 'jsonl'), ...readingOptions(flags) }
    const listener = await this.listener(job)
    if (await this.runShard('predict', job, flags)) return
    const { predictFile } = await import('../api/inference/predict-file.js')
    const report = await predictFile(job, flags, (line) => this.put(line), listener)
    await this.finishLines(report, flags.errors)
  }
}
