import type { Comparison } from '../../verify/compare.js'
import type { Step } from '../../verify/replay.js'
import type { Divergence, LayerReport } from './report.js'

/** Heads come after every layer. */
const depth = ({ layer }: Pick<Divergence, 'layer'>): number => layer ?? Infinity

const earliest = (found: readonly Divergence[]): Divergence | null =>
  found.reduce<Divergence | null>((best, d) => (best === null || depth(d) < depth(best) ? d : best), null)

/** The first hidden state beyond its bound of each runner. */
function statesOf(comparisons: readonly Comparison[]): Divergence[] {
  return comparisons
    .filter((c) => !c.ok)
    .flatMap(({ runner, output }) => {
      const layer = layerOf(output)
      return layer === null ? [] : [{ runner, layer, operation: null, output }]
    })
}

/** How much of its bound a comparison uses; a value that is no number uses more than any. */
const use = ({ maxAbs, atol }: Pick<Comparison, 'maxAbs' | 'atol'>): number =>
  maxAbs === null ? Infinity : maxAbs / atol

/** The worst comparison of every hidden state in every runner. */
export function layersOf(comparisons: readonly Comparison[]): LayerReport[] {
  const worst = new Map<string, LayerReport>()
  for (const c of comparisons) {
    const layer = layerOf(c.output)
    // Masked rows have a bound of their own, and would hide the others.
    if (layer === null || c.dtype !== undefined || (c.rows === 'masked' && c.ok)) continue
    const { runner, output, maxAbs, atol, ok } = c
    const key = `${runner} ${output}`
    const before = worst.get(key)
    if (before === undefined || use(c) > use(before)) worst.set(key, { runner, layer, output, maxAbs, atol, ok })
  }
  return [...worst.values()].sort((a, b) => a.layer - b.layer)
}

/** The first place that differs, over all runners: an operation where one is wrong by itself, else a hidden state. */
export function firstDivergence(comparisons: readonly Comparison[], steps: readonly Step[]): Divergence | null {
  const operations = steps.map(({ runner, layer, operation, output }) => ({ runner, layer, operation, output }))
  const located = new Set(operations.map(({ runner }) => runner))
  return earliest([...operations, ...statesOf(comparisons).filter(({ runner }) => !located.has(runner))])
}

/** Number of the layer that an output comes after; −1 for the embeddings. */
export function layerOf(output: string): number | null {
  if (output.startsWith('embedding_')) return -1
  const tf = /^(?:hidden_state|all_encoder_layers)_(\d+)$/.exec(output)
  if (tf !== null) return Number(tf[1])
  const hf = /^hidden_states_(\d+)$/.exec(output)
  return hf === null ? null : Number(hf[1]) - 1
}
