import * as Flags from '@oclif/core/flags'
import { AlbertkitCommand } from './common/base.js'
import { argument } from './common/flags.js'

export default class Merge extends AlbertkitCommand {
  static override summary = 'Join the shards of a directory into the output of a single run.'
  static override description =
    'Checks first that the shards are complete: none missing, none overlapping, all of one input, one model and the ' +
    'same options, every file as its manifest says. Predictions become one file, byte for byte as a single process ' +
    'writes it; the shards of an evaluation become its report, the trials of a sweep its ranking. If a check fails, ' +
    'the exit code is 3 and nothing is written.'
  static override examples = [
    {
      description: 'After predict --shard 1/8 … 8/8 -o shards',
      command:
        'for i in 1 2; do albertkit predict fixtures/zh-news fixtures/zh-news/test.tsv --shard $i/2 ' +
        '-o merge-shards; done; <%= config.bin %> <%= command.id %> merge-shards -o predictions.jsonl',
    },
  ]
  static override args = {
    directory: argument({ description: 'directory of the shards', required: true }),
  }
  static override flags = {
    output: Flags.string({
      char: 'o',
      description: 'file to write; for an evaluation or a sweep, its report as JSON (optional)',
      helpValue: 'FILE',
    }),
    errors: Flags.string({ description: 'file for the lines that could not be used', helpValue: 'FILE' }),
    force: Flags.boolean({ description: 'overwrite an existing file' }),
  }

  protected override readonly reportIsResult = false

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Merge)
    const { mergeDirectory } = await import('../api/sharded/merge.js')
    const { mergeText } = await import('../report/text/short.js')
    const report = await mergeDirectory(args.directory, flags)
    await this.finish(report, () => mergeText(report))
  }
}
