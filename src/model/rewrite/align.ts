import type { TensorSource } from '../../formats/core/source.js'
import type { AlbertModel, Block, Dense, Parameter } from '../albert.js'
import { isIdentity, product, ungrouped } from '../tensors/derived.js'
import { blockRoles, outerParameters } from '../tensors/roles.js'
import { computedView, logicalView, storedView, type View } from '../tensors/view.js'

/** Alignment of the tensors of two models that have the same function, across families. */

export interface Side {
  readonly model: AlbertModel
  readonly source: TensorSource
}

/** A tensor of one model, with its variables and dtype in the file. */
export interface SlotView {
  /** Names of the variables that it is computed from. */
  readonly variables: readonly string[]
  readonly dtype: string
  readonly view: View
}

/** Tensors with the same function in both models; null for a model that has no such tensor. */
export interface Pair {
  readonly slot: string
  /** Inner layers that use it, counted through; empty outside the layers. */
  readonly layers: readonly number[]
  readonly a: SlotView | null
  readonly b: SlotView | null
  /** Reason why a missing counterpart makes no difference. */
  readonly harmless?: string
}

const WORD = 'embeddings/word_embeddings'
const FACTOR = 'embeddings/word_embeddings_2'
const MAPPING = 'encoder/embedding_hidden_mapping_in'

const held = ({ source }: Side, p: Parameter, view = logicalView(source, p)): SlotView => ({
  variables: [p.variable],
  dtype: p.dtype,
  view,
})

/** A kernel as a whole matrix. */
function whole(side: Side, p: Parameter): SlotView {
  if (p.shape.length !== 3) return held(side, p)
  const [groups = 1, rows = 1, columns = 1] = p.shape
  return held(side, p, computedView([groups * rows, groups * columns], ungrouped(side.source, p)))
}

/** Word embeddings as one table of the hidden width. */
function words(side: Side): SlotView {
  const { word, factor } = side.model.embeddings
  if (factor === null) return held(side, word)
  const shape = [word.shape[0] ?? 1, factor.shape[1] ?? 1]
  const view = computedView(shape, product(side.source, word, factor))
  return { variables: [word.variable, factor.variable], dtype: word.dtype, view }
}

/** Two parameters that both exist, in the order of their files if that is the same. */
function both(a: Side, b: Side, p: Parameter, q: Parameter): { a: SlotView; b: SlotView } {
  if (p.layout === q.layout && p.layout !== 'as_is')
    return { a: held(a, p, storedView(a.source, p)), b: held(b, q, storedView(b.source, q)) }
  if (p.shape.length !== q.shape.length) return { a: whole(a, p), b: whole(b, q) }
  return { a: held(a, p), b: held(b, q) }
}

const rolesOf = (block: Block | undefined): Map<string, Parameter> =>
  new Map(block === undefined ? [] : blockRoles(block))

function layerPairs(a: Side, b: Side): Pair[] {
  const [ours, theirs] = [a.model.layers.flat(), b.model.layers.flat()]
  const found = new Map<string, { p: Parameter | null; q: Parameter | null; role: string; layers: number[] }>()
  for (let layer = 0; layer < Math.max(ours.length, theirs.length); layer++) {
    const left = rolesOf(ours[layer])
    const right = rolesOf(theirs[layer])
    for (const role of new Set([...left.keys(), ...right.keys()])) {
      const [p, q] = [left.get(role) ?? null, right.get(role) ?? null]
      const key = `${p?.slot ?? ''}\n${q?.slot ?? ''}`
      const known = found.get(key)
      if (known === undefined) found.set(key, { p, q, role, layers: [layer] })
      else known.layers.push(layer)
    }
  }
  return [...found.values()].map(({ p, q, role, layers }): Pair => {
    const first = layers[0] ?? 0
    const last = layers[layers.length - 1] ?? first
    const range = first === last ? String(first) : `${first}-${last}`
    const slot =
      p !== null && (q === null || p.slot === q.slot)
        ? p.slot
        : p === null && q !== null
          ? q.slot
          : `encoder/layer_${range}/${role}`
    if (p !== null && q !== null) return { slot, layers, ...both(a, b, p, q) }
    return { slot, layers, a: p === null ? null : held(a, p), b: q === null ? null : held(b, q) }
  })
}

function outerPairs(a: Side, b: Side): Pair[] {
  const factors = [a, b].filter(({ model }) => model.embeddings.factor !== null).length
  const inOne = (mapping: Dense | null, other: Dense | null, side: Side): boolean =>
    mapping !== null && other === null && isIdentity(side.source, mapping)
  const [mine, other] = [a.model.embeddings.mapping, b.model.embeddings.mapping]
  const idle = inOne(mine, other, a) || inOne(other, mine, b)
  const parameters = (side: Side): Map<string, Parameter> =>
    new Map(outerParameters(side.model).map((p) => [p.slot, p]))
  const [left, right] = [parameters(a), parameters(b)]
  const pairs: Pair[] = []
  for (const slot of new Set([...left.keys(), ...right.keys()])) {
    const [p, q] = [left.get(slot) ?? null, right.get(slot) ?? null]
    if (factors === 1 && slot === FACTOR) continue
    if (factors === 1 && slot === WORD) pairs.push({ slot: `${WORD} · factor`, layers: [], a: words(a), b: words(b) })
    else if (p !== null && q !== null) pairs.push({ slot, layers: [], ...both(a, b, p, q) })
    else {
      const none = idle && slot.startsWith(`${MAPPING}/`) ? { harmless: 'maps every vector to itself' } : {}
      pairs.push({ slot, layers: [], a: p === null ? null : held(a, p), b: q === null ? null : held(b, q), ...none })
    }
  }
  return pairs
}

/** Every tensor of the two models, paired with its counterpart in the other. */
export const correspond = (a: Side, b: Side): Pair[] => [...outerPairs(a, b), ...layerPairs(a, b)]
