import * as Flags from '@oclif/core/flags'
import type { ProgressStep } from '../base/abort.js'
import { omitUndefined } from '../base/omit-undefined.js'
import { AlbertkitCommand } from './common/base.js'
import { browserFlag } from './common/flags.js'
import { withFlags } from './common/option-flags.js'

export default class Doctor extends AlbertkitCommand {
  static override summary = 'Check which runtimes work on this machine, each on a small model.'
  static override description =
    'Starts every runtime in its own process, runs a small random model in it and compares the results with a ' +
    'float64 reference. Prints versions and adapters, and how to install what is missing. Exit code 6 if a ' +
    'required runtime does not work.'
  static override examples = [
    { description: 'Everything', command: '<%= config.bin %> <%= command.id %>' },
    { description: 'For a machine', command: '<%= config.bin %> <%= command.id %> --json' },
  ]
  static override flags = {
    adapter: Flags.string({ description: 'part of the name of the GPU to use', helpValue: 'NAME' }),
    browser: browserFlag,
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Doctor)
    const { examineMachine } = await import('../api/doctor/doctor.js')
    const { doctorText } = await import('../report/text/doctor.js')
    const { adapter, browser } = flags
    const onProgress = (step: ProgressStep): void => {
      this.progress(step)
    }
    const report = await examineMachine(omitUndefined({ adapter, browser, onProgress }))
    await this.finish(report, () => withFlags(doctorText(report, this.width)), report.ok ? 0 : 6)
  }
}
