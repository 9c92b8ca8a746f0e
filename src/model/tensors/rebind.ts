import type { TensorSource } from '../../formats/core/source.js'
import type { AlbertModel, Layout, Parameter } from '../albert.js'

/** Layout and row count of each weight in a file. */
export interface FileForm {
  /** Layout of the tensor of a slot; `grouped` only if the model's own source has it so. */
  readonly layoutOf: (slot: string) => Layout
  /** The parameter with as many rows as the file has. */
  readonly cut: (p: Parameter) => Parameter
}

/** Order of the elements in a file: the same for all weights, or by weight. */
export type FileOrder = 'stored' | 'logical' | FileForm

/**
 * The same model with its weights in another file, whose tensors are named by their slots, so that the reference can
 * compute with the weights of an artefact. Weights that the file lacks are still read from their source.
 * @param order order of matrices in the file: as the model's own source stores them, the logical one, or by slot
 */
export function rebind(model: AlbertModel, weights: TensorSource, order: FileOrder): AlbertModel {
  return mapParameters(model, (p) => {
    const info = weights.tensors.get(p.slot)
    if (info === undefined) return p
    const cut = typeof order === 'string' ? p : order.cut(p)
    const placed = { ...cut, variable: p.slot, dtype: info.dtype }
    if (order === 'stored') return placed
    const layout = order === 'logical' ? 'as_is' : order.layoutOf(p.slot)
    if (layout === 'grouped') return placed
    return { ...placed, layout, storedShape: layout === 'as_is' ? placed.shape : [...placed.shape].reverse() }
  })
}

/** The same model with its weights in a file that has the same names in other element types. */
export const retyped = (model: AlbertModel, weights: TensorSource): AlbertModel =>
  mapParameters(model, (p) => ({ ...p, dtype: weights.tensors.get(p.variable)?.dtype ?? p.dtype }))

/** The same tree with every parameter changed; one that is shared stays shared. */
function mapParameters(model: AlbertModel, change: (p: Parameter) => Parameter): AlbertModel {
  const made = new Map<Parameter, Parameter>()
  const parameter = (p: Parameter): Parameter => {
    let changed = made.get(p)
    if (changed === undefined) made.set(p, (changed = change(p)))
    return changed
  }
  const visit = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value
    if ('slot' in value && 'variable' in value) return parameter(value as Parameter)
    if (Array.isArray(value)) return value.map(visit)
    return Object.fromEntries(
      Object.entries(value).map(([key, child]) => [key, key === 'config' ? child : visit(child)]),
    )
  }
  return visit(model) as AlbertModel
}
