import type { RunnerDevice, Adapter } from '../../runtime/runners.js'

/** An optional package that is no runtime, and what it is for. */
export interface PackageReport {
  readonly name: string
  /** Null where it is not installed. */
  readonly version: string | null
  readonly purpose: string
}

/** What one runtime is worth on this machine. */
export interface RuntimeHealth {
  readonly name: string
  /** Whether albertkit cannot do its work without it. */
  readonly required: boolean
  readonly place: RunnerDevice
  /** `software`: it works, on a GPU that is none. `broken`: it is there and does not run a model rightly. */
  readonly status: 'works' | 'software' | 'absent' | 'broken'
  /** Packages, versions, device; null where it did not start. */
  readonly detail: string | null
  readonly adapter: Adapter | null
  /** Largest difference from the float64 reference on a small model. */
  readonly maxAbs: number | null
  readonly reason: string | null
  /** What to do about it. */
  readonly fix: string | null
}

export interface DoctorReport {
  /** Whether everything that is required works. */
  readonly ok: boolean
  readonly version: string
  readonly node: { readonly version: string; readonly required: string; readonly ok: boolean }
  readonly system: {
    readonly platform: string
    readonly release: string
    readonly arch: string
    readonly cpu: string
    readonly threads: number
    /** Bytes. */
    readonly memory: number
    readonly freeMemory: number
  }
  /** Names of the WebGPU adapters that Dawn sees. */
  readonly adapters: readonly string[]
  readonly runtimes: readonly RuntimeHealth[]
  readonly packages: readonly PackageReport[]
}
