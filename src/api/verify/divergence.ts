import type { Comparison } from '../../verify/compare.js'
import type { Divergence } from './report.js'

/** The first hidden state beyond its bound, over all runners. */
export function firstDivergence(comparisons: readonly Comparison[]): Divergence | null {
  const found = comparisons
    .filter((c) => !c.ok)
    .map((c) => ({ runner: c.runner, output: c.output, layer: layerOf(c.output) }))
    .filter((c): c is Divergence => c.layer !== null)
  return found.reduce<Divergence | null>((best, c) => (best === null || c.layer < best.layer ? c : best), null)
}

/** Number of the layer that an output comes after; −1 for the embeddings. */
function layerOf(output: string): number | null {
  if (output.startsWith('embedding_')) return -1
  const tf = /^(?:hidden_state|all_encoder_layers)_(\d+)$/.exec(output)
  if (tf !== null) return Number(tf[1])
  const hf = /^hidden_states_(\d+)$/.exec(output)
  return hf === null ? null : Number(hf[1]) - 1
}
