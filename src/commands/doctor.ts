import * as Flags from '@oclif/core/flags'
import type { ProgressStep } from '../base/abort.js'
import { usage } from '../base/errors.js'
import { omitUndefined } from '../base/omit-undefined.js'
import { AlbertkitCommand } from './common/base.js'
import { browserFlag } from './common/flags.js'
import { withFlags } from './common/option-flags.js'

export default class Doctor extends AlbertkitCommand {
  static override summary = 'Check which runtimes work on this machine, each on a small model.'
  static override description =
    'Starts every runtime in its own process, runs a small random model in it and compares the results with a ' +
    'float64 reference. Prints versions and adapters, and how to install what is missing. Exit code 6 if a ' +
    'required runtime does not work. With --gpu it runs every GPU runtime that starts on families, element types and ' +
    'sizes, compares every layer and measures speed, in under six minutes.'
  static override examples = [
    { description: 'Everything', command: '<%= config.bin %> <%= command.id %>' },
    { description: 'For a machine', command: '<%= config.bin %> <%= command.id %> --json' },
  ]
  static override flags = {
    adapter: Flags.string({ description: 'part of the name of the GPU to use', helpValue: 'NAME' }),
    browser: browserFlag,
    gpu: Flags.boolean({ description: 'run the whole matrix of GPU runtimes and models' }),
    report: Flags.string({
      description: 'with --gpu: directory for gpu-report.md and .json, written after each step',
      helpValue: 'DIR',
    }),
    force: Flags.boolean({ description: 'replace files of an existing report' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Doctor)
    const { adapter, browser } = flags
    const onProgress = (step: ProgressStep): void => {
      this.progress(step)
    }
    const options = omitUndefined({ adapter, browser, onProgress })
    if (flags.gpu) return this.#reportGpu(options, flags)
    for (const name of ['report', 'force'] as const)
      if (flags[name] !== undefined && flags[name] !== false)
        throw usage(`--${name} goes with --gpu`, { code: 'option-conflict' })
    const { examineMachine } = await import('../api/doctor/doctor.js')
    const { doctorText } = await import('../report/text/doctor.js')
    const report = await examineMachine(options)
    await this.finish(report, () => withFlags(doctorText(report, this.width)), report.ok ? 0 : 6)
  }

  async #reportGpu(options: object, { report, force }: { report?: string | undefined; force: boolean }): Promise<void> {
    const { reportGpu } = await import('../api/gpu-report/gpu-report.js')
    const { gpuText } = await import('../report/text/gpu.js')
    const { gpuReportFiles } = await import('../report/write-gpu-report.js')
    const files = report === undefined ? {} : { onReport: gpuReportFiles(report, force) }
    const made = await reportGpu({ ...options, ...files })
    const ran = made.steps.some(({ adapter }) => adapter !== null)
    await this.finish(made, () => withFlags(gpuText(made, this.width)), made.ok ? 0 : ran ? 1 : 6)
  }
}
