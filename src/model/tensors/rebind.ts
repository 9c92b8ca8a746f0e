import type { TensorSource } from '../../formats/core/source.js'
import type { AlbertModel, Parameter } from '../albert.js'

/**
 * The same model with its weights in another file, whose tensors are called after their slots: what an artefact
 * computes with, run by the reference. What the file lacks stays where it was.
 * @param order order of matrices in the file: as the model's own source stores them, or the logical one
 */
export function rebind(model: AlbertModel, weights: TensorSource, order: 'stored' | 'logical'): AlbertModel {
  return mapParameters(model, (p) => {
    const info = weights.tensors.get(p.slot)
    if (info === undefined) return p
    const placed = { ...p, variable: p.slot, dtype: info.dtype }
    return order === 'stored' ? placed : { ...placed, layout: 'as_is', storedShape: p.shape }
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
