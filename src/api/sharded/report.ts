import type { MergeReport } from '../../sharding/merge.js'
import type { Evaluation } from '../inference/report.js'
import type { MergedSweep } from '../sweep/report.js'

export interface MergedEvaluation {
  readonly command: 'evaluate'
  readonly shards: number
  readonly inputLines: number
  readonly evaluation: Evaluation
}

export type Merged = (MergeReport & { readonly command: 'predict' | 'embed' }) | MergedEvaluation | MergedSweep
