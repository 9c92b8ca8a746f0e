import * as Flags from '@oclif/core/flags'
import { omitUndefined } from '../base/omit-undefined.js'
import { AlbertkitCommand } from './common/base.js'
import { withFlags } from './common/option-flags.js'
import { argument, browserFlag, modelFlags, numberFlag, selectFlags, selectOptions } from './common/flags.js'

const whole = (description: string) =>
  Flags.integer({ description, min: 1, multiple: true, multipleNonGreedy: true, helpValue: 'N' })

export default class Bench extends AlbertkitCommand {
  static override summary = 'Measure how fast converted models run on this machine.'
  static override description =
    'Loads every model file of a directory that `convert` wrote, each in its own process, and runs it on full ' +
    'batches: median and 90th percentile of a run, rows and tokens per second, load time, and growth of the ' +
    'process memory.'
  static override examples = [
    { description: 'Every format in a directory', command: '<%= config.bin %> <%= command.id %> out --runs 5' },
    {
      description: 'One runner, several batches and threads',
      command:
        '<%= config.bin %> <%= command.id %> out --runner onnxruntime --batch 1 --batch 4 --length 64 ' +
        '--threads 1 --threads 2 --runs 5',
    },
  ]
  static override args = { directory: argument({ description: 'directory that `convert` wrote', required: true }) }
  static override flags = {
    ...selectFlags,
    checksum: modelFlags.checksum,
    runner: Flags.string({
      description: 'runtime to use; may be repeated',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'NAME',
    }),
    batch: whole('rows per batch, 1 and 8 by default; may be repeated'),
    length: whole('tokens per row, 32 and 128 by default; may be repeated'),
    threads: whole('threads of onnxruntime, 1 by default; may be repeated'),
    adapter: Flags.string({ description: 'part of the name of the GPU to use', helpValue: 'NAME' }),
    'allow-software': Flags.boolean({ description: 'let a software adapter, such as SwiftShader, count as a GPU' }),
    browser: browserFlag,
    'max-p50': numberFlag(
      'max-p50',
      'end with exit code 1 if the median of a run takes longer',
      [0.001, 1e9],
      'MILLISECONDS',
    ),
    runs: Flags.integer({ description: 'number of measured runs', min: 1, default: 20, helpValue: 'N' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Bench)
    const { benchModel } = await import('../api/bench/bench.js')
    const { benchText } = await import('../report/text/bench.js')
    const report = await benchModel(args.directory, {
      ...omitUndefined({ runners: flags.runner, batches: flags.batch, lengths: flags.length, threads: flags.threads }),
      ...omitUndefined({ adapter: flags.adapter, browser: flags.browser }),
      ...selectOptions(flags),
      checksum: flags.checksum,
      allowSoftware: flags['allow-software'],
      ...omitUndefined({ maxP50: flags['max-p50'] }),
      runs: flags.runs,
      onProgress: (step) => {
        this.progress(step)
      },
    })
    for (const sentence of report.missed ?? []) this.speaker.complain(`missed: ${sentence}`)
    await this.finish(report, () => withFlags(benchText(report)), report.ok)
  }
}
