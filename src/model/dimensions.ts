import { malformed } from '../errors.js'
import type { TensorSource } from '../formats/source.js'
import type { ConfigNumbers, ModelConfig } from './config.js'
import type { Identification, MappedVariable } from './identify.js'
import type { Dim } from './names.js'

/** Agreement of configuration and weights: every dimension of every mapped variable, by its symbol. */

/** The configuration field that a dimension's symbol stands for; `N` (labels) is free. */
const FIELD_OF: Readonly<Partial<Record<Dim, keyof ConfigNumbers>>> = {
  V: 'vocab_size',
  E: 'embedding_size',
  H: 'hidden_size',
  I: 'intermediate_size',
  P: 'max_position_embeddings',
  T: 'type_vocab_size',
}

/** Where E is not a field of its own, the field to name is the hidden size. */
const fieldOf = (dim: Dim, config: ModelConfig): keyof ConfigNumbers | undefined =>
  dim === 'E' && config.architecture === 'bert' ? 'hidden_size' : FIELD_OF[dim]

/** The size that `config` gives a symbol, or null where it is free. */
export function sizeOf(dim: Dim, config: ModelConfig): number | null {
  if (dim === '2') return 2
  const field = fieldOf(dim, config)
  return field === undefined ? null : config[field]
}

/** The stored shape that `config` asks of a variable; null where free. */
export function expectedShape({ row }: MappedVariable, config: ModelConfig): (number | null)[] {
  const meant = row.dims.map((dim) => sizeOf(dim, config))
  return row.transposed ? meant.reverse() : meant
}

interface Vote {
  readonly size: number
  readonly variables: string[]
}

/** Which size the weights say each symbol has, by majority of the dimensions that carry it. */
function majority(source: TensorSource, found: Identification, config: ModelConfig): Map<string, Vote> {
  const votes = new Map<string, Map<number, Vote>>()
  for (const { variable, row } of found.mapped.values()) {
    const shape = source.tensors.get(variable)?.shape ?? []
    const dims = row.transposed ? [...row.dims].reverse() : row.dims
    if (shape.length !== dims.length) continue
    dims.forEach((dim, axis) => {
      const field = fieldOf(dim, config)
      const size = shape[axis]
      if (field === undefined || size === undefined) return
      const ofField = votes.get(field) ?? new Map<number, Vote>()
      votes.set(field, ofField)
      const vote = ofField.get(size) ?? { size, variables: [] }
      ofField.set(size, vote)
      vote.variables.push(variable)
    })
  }
  const winner = (all: Map<number, Vote>): Vote =>
    [...all.values()].reduce((best, v) => (v.variables.length > best.variables.length ? v : best))
  return new Map([...votes].map(([field, all]) => [field, winner(all)]))
}

const show = (shape: readonly (number | null)[]): string => `[${shape.map((d) => d ?? 'n').join(', ')}]`

/**
 * Compares every mapped variable's shape with the configuration. If most variables disagree with a field, the field
 * is named and what would fit; if one variable disagrees with the others, that variable is.
 * @throws AlbertkitError `malformed`
 */
export function checkDimensions(source: TensorSource, found: Identification, config: ModelConfig): void {
  for (const [field, vote] of majority(source, found, config)) {
    const given = config[field as keyof ConfigNumbers]
    if (vote.size === given) continue
    const variable = vote.variables[0] ?? ''
    const count = vote.variables.length
    throw malformed(
      `${field} is ${given}, but ${count} variable${count === 1 ? '' : 's'} of the weights say${count === 1 ? 's' : ''} ${vote.size}`,
      {
        file: config.file,
        field,
        tensor: variable,
        hint: `${variable} has shape ${show(source.tensors.get(variable)?.shape ?? [])}; ${field} ${vote.size} would fit`,
      },
    )
  }
  for (const mapped of found.mapped.values()) {
    const info = source.tensors.get(mapped.variable)
    if (info === undefined) continue
    const expected = expectedShape(mapped, config)
    const fits = info.shape.length === expected.length && expected.every((d, i) => d === null || d === info.shape[i])
    if (fits) continue
    const symbols = mapped.row.transposed ? [...mapped.row.dims].reverse() : mapped.row.dims
    throw malformed(`shape ${show(info.shape)} where ${show(expected)} is expected`, {
      file: info.file,
      tensor: mapped.variable,
      hint: `the configuration ${config.file} and the other weights give [${symbols.map((d) => fieldOf(d, config) ?? d).join(', ')}]`,
    })
  }
}

/**
 * Refuses weights that have layers or groups beyond what the configuration says: running a part of a model
 * would give wrong results without a word.
 * @throws AlbertkitError `malformed`
 */
export function checkDepth(found: Identification, config: ModelConfig): void {
  const limits = [
    ['l', 'num_hidden_layers'],
    ['g', 'num_hidden_groups'],
    ['j', 'inner_group_num'],
  ] as const
  for (const [key, field] of limits) {
    const deepest = [...found.mapped.values()].reduce<MappedVariable | null>(
      (best, m) => ((m.indices[key] ?? -1) > (best?.indices[key] ?? -1) ? m : best),
      null,
    )
    const index = deepest?.indices[key]
    if (deepest === null || index === undefined || index < config[field]) continue
    throw malformed(`${field} is ${config[field]}, but the weights go up to number ${index}`, {
      file: config.file,
      field,
      tensor: deepest.variable,
      hint: `${field} ${index + 1} would fit ${deepest.variable}`,
    })
  }
}
