import { performance } from 'node:perf_hooks'
import { progressStep, stopIfAborted, stoppable, type Abortable, type OnProgress } from '../../base/abort.js'
import { omitUndefined } from '../../base/omit-undefined.js'
import { temporaryFolder } from '../../base/temporary-folder.js'
import { nvidiaAdapter } from '../../runtime/gpu/nvidia.js'
import type { RunnerOptions } from '../../runtime/runners.js'
import { examineMachine } from '../doctor/doctor.js'
import type { DoctorReport } from '../doctor/report.js'
import { stepApart } from './apart.js'
import { GPU_MODELS, writeGpuModel, type GpuModel } from './models.js'
import type { GpuReport, GpuStep } from './report.js'

export interface GpuReportOptions extends Abortable, Pick<RunnerOptions, 'adapter' | 'browser'> {
  /** Models to run; default `GPU_MODELS`. */
  readonly models?: readonly GpuModel[]
  /** Seconds after which no step begins, and none lasts; default 330. */
  readonly seconds?: number
  /** Called with the report so far, after each step. */
  readonly onReport?: (report: GpuReport) => void
  readonly onProgress?: OnProgress
}

const SECONDS = 330
/** Longest step, so that one that hangs leaves time for others. */
const STEP_SECONDS = 120
/** Runs of which the median is taken. */
const RUNS = 10
/** The yardstick on the processor. */
const BASELINE = 'onnxruntime'

type Runtime = DoctorReport['runtimes'][number]

const NOTHING = { reason: null, seconds: 0, detail: null, adapter: null, parity: [], layers: [], speed: [] } as const

function nvidiaOf(): GpuReport['nvidia'] {
  const { device, driver } = nvidiaAdapter()
  return device === 'unknown' ? null : { device, driver }
}

const NO_TIME = 'no time was left'

/** Reason not to run a model in a runtime, or null. @param hung models on which the runtime hung before */
export function whySkipped(
  { isSmall }: GpuModel,
  { status, reason }: Runtime,
  { left, hung }: { readonly left: number; readonly hung: readonly string[] },
): string | null {
  if (status === 'absent' || status === 'broken') return reason ?? 'it does not start'
  if (status === 'software' && !isSmall) return 'it would take minutes on a software adapter'
  if (hung.length > 0) return `it did not end on ${hung.join(', ')}`
  return left <= 0 ? NO_TIME : null
}

/**
 * A step as the report has it: one that was ended since the time of the whole report was over is not at fault.
 * @param took seconds, of `patience`
 */
export function settled(step: Partial<GpuStep>, took: number, patience: number): Partial<GpuStep> {
  const isCutShort = step.status === 'failed' && took >= patience && patience < STEP_SECONDS
  return { ...step, ...(isCutShort ? { status: 'skipped', reason: NO_TIME } : {}), seconds: Math.round(took) }
}

/** Runs the matrix, step by step. */
class Matrix {
  readonly #steps: GpuStep[] = []

  /** @param start of the report, by `performance.now` */
  constructor(
    readonly options: GpuReportOptions,
    readonly machine: DoctorReport,
    readonly nvidia: GpuReport['nvidia'],
    readonly start: number,
  ) {}

  get #elapsed(): number {
    return (performance.now() - this.start) / 1000
  }

  report(complete: boolean): GpuReport {
    const { version, node, system, adapters } = this.machine
    const runtimes = this.machine.runtimes.filter(({ place }) => place === 'gpu')
    const ran = this.#steps.filter(({ runner, status }) => runner !== BASELINE && status !== 'skipped')
    return {
      ok: ran.length > 0 && ran.every(({ status }) => status === 'ok'),
      complete,
      date: new Date().toISOString(),
      seconds: Math.round(this.#elapsed),
      version,
      node: node.version,
      system,
      nvidia: this.nvidia,
      adapters,
      runtimes,
      steps: this.#steps,
    }
  }

  #add(step: GpuStep): void {
    this.#steps.push(step)
    this.options.onReport?.(this.report(false))
  }

  /** Models on which a runtime took all the time that a step has. */
  #hungOn(runner: string): string[] {
    return this.#steps
      .filter((step) => step.runner === runner && step.status === 'failed' && step.seconds >= STEP_SECONDS)
      .map(({ model }) => model)
  }

  /** Runs a model in every runtime that starts. @param folder to write it in */
  async run(model: GpuModel, folder: string): Promise<void> {
    const { seconds = SECONDS, onProgress } = this.options
    const runtimes = this.machine.runtimes.filter(({ name, place }) => place === 'gpu' || name === BASELINE)
    const reasons = runtimes.map((runtime) =>
      whySkipped(model, runtime, { left: seconds - this.#elapsed, hung: this.#hungOn(runtime.name) }),
    )
    const isIdle = runtimes.every(({ name }, i) => name === BASELINE || reasons[i] !== null)
    onProgress?.(progressStep('writing', model.name))
    const written = isIdle ? null : await writeGpuModel(model, folder)
    for (const [i, { name: runner, status }] of runtimes.entries()) {
      const left = seconds - this.#elapsed
      const reason = reasons[i] ?? (left <= 0 ? NO_TIME : null)
      const which = { model: model.name, runner }
      if (reason !== null || written === null) {
        if (runner !== BASELINE) this.#add({ ...which, ...NOTHING, status: 'skipped', reason })
        continue
      }
      onProgress?.(progressStep('running', `${model.name} in ${runner}`))
      const { adapter, browser } = this.options
      const given = { ...omitUndefined({ adapter, browser }), allowSoftware: true }
      const { length } = model
      const task = { ...which, ...written, length, runs: status === 'software' ? 0 : RUNS, options: given }
      const start = this.#elapsed
      const patience = Math.min(left, STEP_SECONDS)
      const step = await stepApart(task, patience * 1000)
      this.#add({ ...which, ...NOTHING, status: 'failed', ...settled(step, this.#elapsed - start, patience) })
    }
  }
}

/**
 * Runs every GPU runtime that starts on this machine, families × element types × sizes: parity by layer with the
 * float64 reference, and speed beside onnxruntime on the processor. Each step has a process of its own, and
 * `onReport` gets the
 * report after each, so that a crash of one runtime, or of the machine, loses nothing.
 * @throws AlbertkitError `output` if the temporary folder is not writable
 */
export async function reportGpu(asked: GpuReportOptions = {}): Promise<GpuReport> {
  const start = performance.now()
  const options = stoppable(asked)
  const { models = GPU_MODELS, onProgress, adapter, browser, signal } = options
  const machine = await examineMachine(omitUndefined({ adapter, browser, onProgress, signal }))
  const matrix = new Matrix(options, machine, nvidiaOf(), start)
  for (const model of models) {
    stopIfAborted(signal)
    const folder = temporaryFolder()
    try {
      await matrix.run(model, folder.path)
    } finally {
      folder.remove()
    }
  }
  const report = matrix.report(true)
  options.onReport?.(report)
  return report
}
