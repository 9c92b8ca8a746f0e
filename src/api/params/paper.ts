import {
  factorisationExample,
  PAPER_FINDINGS,
  paperTables,
  VARIANTS,
  type FactorisationExample,
  type PaperTable,
  type Variant,
} from '../../model/accounting/paper.js'

/** What the ALBERT paper prints beside what its configurations give. */
export interface PaperReport {
  readonly example: FactorisationExample
  readonly tables: readonly PaperTable[]
  /** What each way of counting is, in words. */
  readonly variants: Readonly<Record<Variant, string>>
  readonly findings: readonly string[]
}

/** Recomputes the parameter counts of Lan et al. 2019 (arXiv 1909.11942) from its configurations alone. */
export const paperReport = (): PaperReport => ({
  example: factorisationExample(),
  tables: paperTables(),
  variants: VARIANTS,
  findings: PAPER_FINDINGS,
})
