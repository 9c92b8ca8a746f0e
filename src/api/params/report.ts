import type { AccountLine } from '../../model/accounting/account.js'
import type { ParameterReport, PartCounts } from '../../model/accounting/count.js'
import type { Footprint, Workload } from '../../model/accounting/footprint.js'
import type { FactorisationExample, PaperTable, Variant } from '../../model/accounting/paper.js'
import type { ModelConfig } from '../../model/config.js'

/** Bytes of the stored parameters by element type. */
export interface BytesByDtype {
  readonly F32: number
  readonly F16: number
  readonly BF16: number
  readonly I8: number
}

/** Counts of one model, which may be hypothetical. */
export interface ParamsColumn {
  readonly name: string
  readonly origin: 'file' | 'preset' | 'config' | 'what-if'
  readonly config: ModelConfig
  /** Description of parameter sharing between layers. */
  readonly sharing: string
  readonly heads: readonly string[]
  readonly embedding: ParameterReport['embedding'] & {
    /** Formulas of both sizes. */
    readonly symbols: { readonly unfactorised: string; readonly factorised: string }
  }
  /** Formula of the number of stored parameters. */
  readonly formula: string
  readonly lines: readonly AccountLine[]
  readonly parts: PartCounts
  readonly stored: number
  readonly used: number
  readonly bytes: BytesByDtype
  /** Bytes in the file's element types; null without a file. */
  readonly fileBytes: number | null
  readonly footprint: Footprint
  /** For a file: comparison of its slots with those of its configuration; else null. */
  readonly agreement: { readonly slots: number; readonly differences: readonly string[] } | null
  readonly notes: readonly string[]
}

export interface ParamsReport {
  /** False if a file and its configuration disagree. */
  readonly ok: boolean
  readonly workload: Workload
  readonly columns: readonly ParamsColumn[]
}

/** Parameter counts printed in the ALBERT paper, and those computed from its configurations. */
export interface PaperReport {
  readonly example: FactorisationExample
  readonly tables: readonly PaperTable[]
  /** Description of each way of counting. */
  readonly variants: Readonly<Record<Variant, string>>
  readonly findings: readonly string[]
}
