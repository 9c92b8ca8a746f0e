import type { RunnerDevice, Adapter } from '../../runtime/runners.js'

/** Optional package, other than a runtime, and its purpose. */
export interface PackageReport {
  readonly name: string
  /** Version; null if not installed. */
  readonly version: string | null
  readonly purpose: string
}

/** State of one runtime on this machine. */
export interface RuntimeHealth {
  readonly name: string
  /** True if albertkit does not work without it. */
  readonly required: boolean
  readonly place: RunnerDevice
  /**
   * `software`: works, on a software adapter instead of a GPU. `broken`: installed, but fails or gives wrong results.
   */
  readonly status: 'works' | 'software' | 'absent' | 'broken'
  /** Packages, versions and device; null if it did not start. */
  readonly detail: string | null
  readonly adapter: Adapter | null
  /** Largest difference from the float64 reference on a small model. */
  readonly maxAbs: number | null
  readonly reason: string | null
  /** Suggested fix, or null. */
  readonly fix: string | null
}

export interface DoctorReport {
  /** True if everything that is required works. */
  readonly ok: boolean
  readonly version: string
  readonly node: { readonly version: string; readonly required: string; readonly ok: boolean }
  readonly system: {
    readonly platform: string
    readonly release: string
    readonly arch: string
    readonly cpu: string
    readonly threads: number
    /** Memory in bytes. */
    readonly memory: number
    readonly freeMemory: number
  }
  /** Names of the WebGPU adapters that Dawn sees. */
  readonly adapters: readonly string[]
  readonly runtimes: readonly RuntimeHealth[]
  readonly packages: readonly PackageReport[]
}
