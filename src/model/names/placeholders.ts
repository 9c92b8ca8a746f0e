import { groupOfLayer, type ModelConfig } from '../config.js'

/**
 * Indices that a name or slot carries: `{l}`, `{g}`, `{j}`; of a LayerNorm that belongs to a layer alone also `k`, the
 * index of the layer within its group, and `n`, the number of the LayerNorm in the order of use.
 */
export type Indices = Readonly<Partial<Record<'l' | 'g' | 'j' | 'k' | 'n', number>>>

const NUMBER = '0|[1-9]\\d{0,5}'
/** Regular expression of each placeholder of a name. */
const PLACEHOLDERS: Readonly<Record<string, string>> = {
  l: `(?<l>${NUMBER})`,
  g: `(?<g>${NUMBER})`,
  j: `(?<j>${NUMBER})`,
  k: '(?:_(?<k>[1-9]\\d{0,5}))?',
  th: '(?:_(?<l>[1-9]\\d{0,5}))?',
  odd: '(?<n>\\d{0,5}[13579])',
  even: '(?<n>\\d{0,5}[02468])',
}
const PLACEHOLDER = /\{(th|l|g|j|k|odd|even)\}/g

/** Source of the regular expression for a name pattern whose other characters are escaped already. */
export const expandPlaceholders = (escaped: string): string =>
  escaped.replace(PLACEHOLDER, (_, key: string) => PLACEHOLDERS[key] ?? '')

/** Writes a pattern out: `encoder/layer_{l}/x` with `{l: 3}` is `encoder/layer_3/x`. */
export const fillPattern = (pattern: string, indices: Indices): string =>
  pattern.replace(PLACEHOLDER, (_, key: string) => {
    if (key === 'k') return (indices.k ?? 0) === 0 ? '' : `_${String(indices.k)}`
    if (key === 'th') return (indices.l ?? 0) === 0 ? '' : `_${String(indices.l)}`
    return String(key === 'odd' || key === 'even' ? indices.n : indices[key as 'l'])
  })

/** A slot as its row has it, with placeholders, and the indices that were in it. */
export function slotPattern(slot: string): { readonly pattern: string; readonly indices: Indices } {
  const indices: Record<string, number> = {}
  const pattern = slot.replace(
    /(^|\/)(layer|group|inner_group)_(\d+)(?=\/)/g,
    (_, start: string, kind: string, digits: string) => {
      const key = kind === 'inner_group' ? 'j' : kind.slice(0, 1)
      indices[key] = Number(digits)
      return `${start}${kind}_{${key}}`
    },
  )
  return { pattern, indices }
}

/**
 * Indices in the names of LayerNorms that belong to one inner layer alone: group, place within the group and number.
 * `layer` = `num_hidden_layers` asks for the LayerNorm of the MLM head, the last.
 * @param place 1 for the attention's, 2 for the feed-forward's
 */
export function layerNormIndices(
  config: Pick<ModelConfig, 'inner_group_num'>,
  groupOf: (layer: number) => number,
  layer: number,
  inner: number,
  place: 1 | 2,
): Indices {
  let first = layer
  while (first > 0 && groupOf(first - 1) === groupOf(layer)) first--
  return {
    l: layer,
    j: inner,
    g: groupOf(layer),
    k: layer - first,
    n: 2 * (layer * config.inner_group_num + inner) + place,
  }
}

/** Indices of a name that are not in its slot: those of a LayerNorm that belongs to a layer alone, and the number of an inner layer. */
export function nameIndices(config: ModelConfig, slot: string, indices: Indices): Indices {
  const groupOf = (layer: number): number => groupOfLayer(config, layer)
  if (slot.startsWith('mlm/')) return { n: 2 * config.num_hidden_layers * config.inner_group_num + 1 }
  const { l, g, j } = indices
  if (l === undefined && g !== undefined && j !== undefined) return { ...indices, l: g * config.inner_group_num + j }
  if (l === undefined || j === undefined) return indices
  return layerNormIndices(config, groupOf, l, j, slot.includes('/attention/') ? 1 : 2)
}
