import type { DType } from '../../formats/core/source.js'
import type { OpenModelOptions } from '../open/open.js'
import type { SkippedVariable } from '../../model/names/identification.js'
import type { MissingVariable } from '../../model/load/build.js'
import type { ConfigDraft } from '../../model/load/draft-config.js'
import type { ModelConfig } from '../../model/config.js'
import type { ParameterReport } from '../../model/accounting/count.js'

export interface InspectOptions extends OpenModelOptions {
  /** Path at which to save the beginning of a configuration, if the model has none. */
  readonly writeConfig?: string
}

export interface VariableReport {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly parameters: number
  readonly bytes: number
  /** Semantic slot; null if the variable is not part of the model. */
  readonly slot: string | null
}

/** Beginning of a configuration for a model without one. */
export interface DraftReport extends ConfigDraft {
  /** Published models of these sizes, with the fields that the weights do not show. */
  readonly similar: readonly { readonly name: string; readonly fields: Readonly<Record<string, number>> }[]
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
  /** Null if there is no configuration. */
  readonly config: ModelConfig | null
  /** Draft of a configuration if there is none, with hints on its missing fields; else null. */
  readonly draft: DraftReport | null
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
