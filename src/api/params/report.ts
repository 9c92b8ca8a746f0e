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

/** One model, or one imagined. */
export interface ParamsColumn {
  readonly name: string
  readonly origin: 'file' | 'preset' | 'config' | 'what-if'
  readonly config: ModelConfig
  /** How layers share, in words. */
  readonly sharing: string
  readonly heads: readonly string[]
  readonly embedding: ParameterReport['embedding'] & {
    /** The two sides in letters. */
    readonly symbols: { readonly unfactorised: string; readonly factorised: string }
  }
  /** All of the stored parameters in letters. */
  readonly formula: string
  readonly lines: readonly AccountLine[]
  readonly parts: PartCounts
  readonly stored: number
  readonly used: number
  readonly bytes: BytesByDtype
  /** Bytes in the file's own element types; null where there is no file. */
  readonly fileBytes: number | null
  readonly footprint: Footprint
  /** For a file: how its slots and those of its configuration agree. */
  readonly agreement: { readonly slots: number; readonly differences: readonly string[] } | null
  readonly notes: readonly string[]
}

export interface ParamsReport {
  /** False where a file and its configuration disagree. */
  readonly ok: boolean
  readonly workload: Workload
  readonly columns: readonly ParamsColumn[]
}

/** What the ALBERT paper prints beside what its configurations give. */
export interface PaperReport {
  readonly example: FactorisationExample
  readonly tables: readonly PaperTable[]
  /** What each way of counting is, in words. */
  readonly variants: Readonly<Record<Variant, string>>
  readonly findings: readonly string[]
}
