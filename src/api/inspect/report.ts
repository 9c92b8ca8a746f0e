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
  /** Semantic slot; null if the variable is not part of the model. */
  readonly slot: string | null
}

/** Result of `inspectModel`. */
export interface InspectReport {
  /** False if the model is incomplete. */
  readonly ok: boolean
  readonly format: string
  readonly files: readonly string[]
  readonly family: string
  readonly architecture: string
  readonly title: string
  /** Evidence for the family. */
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
  /** Absent data files of the model; names and shapes of their tensors are known from the index. */
  readonly missingFiles: readonly string[]
  /** Null if variables are missing. */
  readonly parameters: ParameterReport | null
  readonly notes: readonly string[]
}
