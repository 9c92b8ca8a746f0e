import type { Adapter } from '../../runtime/runners.js'
import type { DoctorReport } from '../doctor/report.js'

/** Outputs of one element type in a runtime, compared with the arbiter's; the worst of all inputs and outputs. */
export interface GpuParity {
  /** Element type of the weights. */
  readonly dtype: string
  readonly output: string
  readonly maxAbs: number | null
  readonly atol: number
  readonly ok: boolean
}

/** A hidden state of the float32 graph; layer −1 is the embeddings. */
export interface GpuLayer {
  readonly layer: number
  readonly maxAbs: number | null
  readonly atol: number
  readonly ok: boolean
}

/** Speed of one file. */
export interface GpuSpeed {
  readonly file: string
  readonly batch: number
  readonly length: number
  /** Milliseconds of a run, median, and to load the model. */
  readonly p50: number
  readonly load: number
}

/** One runtime on one model. */
export interface GpuStep {
  readonly model: string
  readonly runner: string
  /** `differs`: ran, but beyond a bound. `failed`: crashed, hung or refused. `skipped`: not tried. */
  readonly status: 'ok' | 'differs' | 'failed' | 'skipped'
  /** Reason of what failed or was skipped, else null. */
  readonly reason: string | null
  readonly seconds: number
  readonly detail: string | null
  readonly adapter: Adapter | null
  readonly parity: readonly GpuParity[]
  readonly layers: readonly GpuLayer[]
  readonly speed: readonly GpuSpeed[]
}

/** Every GPU runtime of a machine on a matrix of models. */
export interface GpuReport {
  /** True if a runtime ran on a GPU and nothing that ran differs or failed. */
  readonly ok: boolean
  /** False while steps are still to come, and forever if the report was interrupted. */
  readonly complete: boolean
  readonly date: string
  readonly seconds: number
  readonly version: string
  readonly node: string
  readonly system: DoctorReport['system']
  /** First NVIDIA GPU as nvidia-smi names it; null if there is none. */
  readonly nvidia: { readonly device: string; readonly driver: string } | null
  /** Names of the WebGPU adapters that Dawn sees. */
  readonly adapters: readonly string[]
  /** Whether each GPU runtime starts, on a small model. */
  readonly runtimes: DoctorReport['runtimes']
  readonly steps: readonly GpuStep[]
}
