import type { Comparison } from '../../compare/compare.js'
import type { Step } from '../../compare/replay.js'
import type { Divergence, LayerReport } from './report.js'
import { worstBy } from '../../base/worst-by.js'

/** Heads come after every layer. */
const depth = ({ layer }: Pick<Divergence, 'layer'>): number => layer ?? Infinity

const earliest = (found: readonly Divergence[]): Divergence | null =>
  found.reduce<Divergence | null>((best, d) => (best === null || depth(d) < depth(best) ? d : best), null)

/** First hidden state of each runner that exceeds its bound. */
function statesOf(comparisons: readonly Comparison[]): Divergence[] {
  return comparisons
    .filter((c) => !c.ok)
    .flatMap(({ runner, output }) => {
      const layer = layerOf(output)
      return layer === null ? [] : [{ runner, layer, operation: null, output }]
    })
}

/** Masked rows, whose bound is wider, count only if they are wrong. */
export const counts = ({ rows, ok }: Pick<Comparison, 'rows' | 'ok'>): boolean => rows !== 'masked' || !ok

/** Worst comparison of every hidden state in every runner. */
export function layersOf(comparisons: readonly Comparison[]): LayerReport[] {
  const states = comparisons.filter((c) => counts(c) && c.dtype === undefined && layerOf(c.output) !== null)
  return [...worstBy(states, (c) => `${c.runner} ${c.output}`).values()]
    .map(({ runner, output, maxAbs, atol, ok }) => ({ runner, layer: layerOf(output) ?? -1, output, maxAbs, atol, ok }))
    .sort((a, b) => a.layer - b.layer)
}

/** First difference over all runners: a wrong operation, or else a hidden state; null if nothing differs. */
export function firstDivergence(comparisons: readonly Comparison[], steps: readonly Step[]): Divergence | null {
  const operations = steps.map(({ runner, layer, operation, output }) => ({ runner, layer, operation, output }))
  const located = new Set(operations.map(({ runner }) => runner))
  return earliest([...operations, ...statesOf(comparisons).filter(({ runner }) => !located.has(runner))])
}

/** Index of the layer that computes an output; −1 for the embeddings, null for anything else. */
export function layerOf(output: string): number | null {
  if (output.startsWith('embedding_')) return -1
  const tf = /^(?:hidden_state|all_encoder_layers)_(\d+)$/.exec(output)
  if (tf !== null) return Number(tf[1])
  const hf = /^hidden_states_(\d+)$/.exec(output)
  return hf === null ? null : Number(hf[1]) - 1
}
