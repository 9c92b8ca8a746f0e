import type { NameMatch } from './match.js'
import type { NameTable } from './row.js'

/** Assignment of a file's variables to slots; every variable is mapped, skipped or unknown. */
export interface Identification {
  readonly table: NameTable
  /** Why this family, one sentence. */
  readonly reason: string
  /** Slot → variable. */
  readonly mapped: ReadonlyMap<string, MappedVariable>
  /** Known and left out: optimizer state, tied copies, buffers. */
  readonly skipped: readonly SkippedVariable[]
  /** Names that belong to nothing the family has. */
  readonly unknown: readonly string[]
}

export interface MappedVariable extends NameMatch {
  readonly variable: string
}

export interface SkippedVariable {
  readonly variable: string
  readonly reason: string
}
