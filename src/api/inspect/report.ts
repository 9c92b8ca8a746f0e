import type { DType } from '../../formats/core/source.js'
import type { SkippedVariable } from '../../model/names/identification.js'
import type { MissingVariable } from '../../model/load/build.js'
import type { ModelConfig } from '../../model/config.js'
import type { ParameterReport } from '../../model/accounting/count.js'

export interface VariableReport {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly parameters: number
  readonly bytes: number
  /** Semantic slot; null where the variable is none of the model's. */
  readonly slot: string | null
}

/** What `inspect` says of a file. */
export interface InspectReport {
  /** False where the model is not complete. */
  readonly ok: boolean
  readonly format: string
  readonly files: readonly string[]
  readonly family: string
  readonly architecture: string
  readonly title: string
  /** Why the family was recognised. */
  readonly reason: string
  readonly config: ModelConfig
  readonly heads: readonly string[]
  readonly variables: readonly VariableReport[]
  readonly counts: {
    readonly mapped: number
    readonly skipped: number
    readonly unknown: number
    readonly missing: number
  }
  readonly skipped: readonly SkippedVariable[]
  readonly unknown: readonly string[]
  readonly missing: readonly MissingVariable[]
  /** Files that belong to the model and are absent: names and shapes of what is in them are known all the same. */
  readonly missingFiles: readonly string[]
  /** Null where variables are missing. */
  readonly parameters: ParameterReport | null
  readonly notes: readonly string[]
}
