import type { FilledMask, SentenceOrder } from '../../api/inference/single.js'
import { table } from '../table.js'

/** Candidates for each mask, for a person. */
export const maskText = (masks: readonly FilledMask[]): string =>
  masks
    .map(({ position, candidates }, i) => {
      const rows = candidates.map((c) => [c.token, c.probability.toFixed(4), String(c.id)])
      return `[MASK] ${i + 1}, token ${position}\n${table(rows, { head: ['token', 'probability', 'id'], right: [1, 2] })}`
    })
    .join('\n\n')

/** The order of two sentences, for a person. */
export const orderText = ({ inOrder, probabilities }: SentenceOrder): string =>
  `${inOrder ? 'in order' : 'swapped'}  (in order ${probabilities.inOrder.toFixed(4)}, swapped ${probabilities.swapped.toFixed(4)})`
