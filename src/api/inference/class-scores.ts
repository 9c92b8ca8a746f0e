import type { Score } from './report.js'

/** Counts of one class, or of several together. */
export interface Counts {
  readonly right: number
  readonly predicted: number
  /** Number of lines that have the class. */
  readonly support: number
}

const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole)

/** Precision, recall and F1; each is 0 if it would divide by zero. */
export function scoreOf({ right, predicted, support }: Counts): Score {
  const [precision, recall] = [ratio(right, predicted), ratio(right, support)]
  return { precision, recall, f1: ratio(2 * precision * recall, precision + recall) }
}
