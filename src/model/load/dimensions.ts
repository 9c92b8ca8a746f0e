import { malformed } from '../../base/errors.js'
import type { TensorSource } from '../../formats/core/source.js'
import { FFN_GROUPS, type ConfigNumbers, type ModelConfig } from '../config.js'
import type { MappedVariable } from '../names/identification.js'
import type { Identification } from '../names/identification.js'
import type { Dim, NameRow } from '../names/row.js'

/** Agreement of configuration and weights: every dimension of every mapped variable, by its symbol. */

type Field = keyof ConfigNumbers

/** The configuration field that a dimension's symbol stands for; `N` (labels) is free. */
const FIELD_OF: Readonly<Partial<Record<Dim, Field>>> = {
  V: 'vocab_size',
  E: 'embedding_size',
  H: 'hidden_size',
  A: 'hidden_size',
  I: 'intermediate_size',
  P: 'max_position_embeddings',
  T: 'type_vocab_size',
}

/** Field that sets a dimension. BERT has no embedding size: its E is the hidden size. */
const fieldOf = (dim: Dim, config: ModelConfig): Field | undefined =>
  dim === 'E' && config.architecture === 'bert' ? 'hidden_size' : FIELD_OF[dim]

/** Dimensions that are the part of one group. */
const PART_OF: Readonly<Partial<Record<Dim, Dim>>> = { 'H/16': 'H', 'I/16': 'I' }

/** Size that `config` gives a symbol, or null if it is free. */
export function sizeOf(dim: Dim, config: ModelConfig): number | null {
  if (dim === '2') return 2
  if (dim === '16') return FFN_GROUPS
  const field = fieldOf(dim, config)
  return field === undefined ? null : config[field]
}

/** An axis of a variable as it is stored. */
interface Axis {
  /** Required size; null if it is free. */
  readonly expected: number | null
  /** Name of the axis in errors. */
  readonly label: string
  /** Field that the axis determines, and the number of its units in one step of the axis. */
  readonly field?: Field | undefined
  readonly unit?: number
}

/** True if the axis of attention is stored as two, heads and size of a head. */
export const isSplit = (row: NameRow, rank: number): boolean => row.dims.includes('A') && rank === row.dims.length + 1

/** The stored axes of a variable of `rank` dimensions. */
function axesOf(row: NameRow, rank: number, config: ModelConfig): Axis[] {
  const whole = (dim: Dim): Axis => {
    const of = PART_OF[dim]
    if (of !== undefined) return part(of)
    const field = fieldOf(dim, config)
    return { expected: sizeOf(dim, config), label: field ?? dim, field }
  }
  const part = (dim: Dim): Axis => {
    const { expected, label, field } = whole(dim)
    return { expected: (expected ?? 0) / FFN_GROUPS, label: `${label} / ${FFN_GROUPS}`, field, unit: FFN_GROUPS }
  }
  if (row.layout === 'grouped') {
    return [...row.dims.map(part), { expected: FFN_GROUPS, label: String(FFN_GROUPS) }]
  }
  const axes = row.dims.flatMap((dim): Axis[] => {
    if (dim !== 'A' || !isSplit(row, rank)) return [whole(dim)]
    const { num_attention_heads: heads, hidden_size } = config
    return [
      { expected: heads, label: 'num_attention_heads', field: 'num_attention_heads' },
      { expected: hidden_size / heads, label: 'hidden_size / num_attention_heads', field: 'hidden_size', unit: 0 },
    ]
  })
  return row.layout === 'transposed' ? axes.reverse() : axes
}

/** Stored shape that `config` asks of a variable; null for a free dimension. @param rank dimensions of the variable, if known */
export const expectedShape = ({ row }: MappedVariable, config: ModelConfig, rank?: number): (number | null)[] =>
  axesOf(row, rank ?? row.dims.length, config).map(({ expected }) => expected)

/** The stored shape with two axes taken as one: those of attention heads, and those of a bias that is kept in groups. */
export function mergeHeads(row: NameRow, shape: readonly number[]): readonly number[] {
  if (row.dims.length === 2 && row.dims[0] === '16') return [(shape[0] ?? 1) * (shape[1] ?? 1)]
  if (!isSplit(row, shape.length)) return shape
  const at = row.dims.indexOf('A')
  return [...shape.slice(0, at), (shape[at] ?? 1) * (shape[at + 1] ?? 1), ...shape.slice(at + 2)]
}

interface Vote {
  readonly size: number
  readonly variables: string[]
}

/** Size of each field according to the weights, by majority of the dimensions that depend on it. */
function majority(source: TensorSource, found: Identification, config: ModelConfig): Map<Field, Vote> {
  const votes = new Map<Field, Map<number, Vote>>()
  const cast = (field: Field, size: number, variable: string): void => {
    const ofField = votes.get(field) ?? new Map<number, Vote>()
    votes.set(field, ofField)
    const vote = ofField.get(size) ?? { size, variables: [] }
    ofField.set(size, vote)
    vote.variables.push(variable)
  }
  for (const { variable, row } of found.mapped.values()) {
    const shape = source.tensors.get(variable)?.shape ?? []
    const axes = axesOf(row, shape.length, config)
    if (shape.length !== axes.length) continue
    axes.forEach(({ field, unit = 1 }, axis) => {
      const size = shape[axis]
      if (field === undefined || size === undefined) return
      // Hidden size = size of a head × number of heads, the axis before it.
      cast(field, unit === 0 ? size * (shape[axis - 1] ?? 1) : size * unit, variable)
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
    const given = config[field]
    if (vote.size === given) continue
    const variable = vote.variables[0] ?? ''
    const count = vote.variables.length
    throw malformed(
      `${field} is ${given}, but ${count} variable${count === 1 ? '' : 's'} of ` +
        `the weights say${count === 1 ? 's' : ''} ${vote.size}`,
      {
        code: 'config-mismatch',
        file: config.file,
        field,
        tensor: variable,
        hint:
          `${variable} has shape ` +
          `${show(source.tensors.get(variable)?.shape ?? [])}; ${field} ${vote.size} would fit`,
      },
    )
  }
  for (const mapped of found.mapped.values()) {
    const info = source.tensors.get(mapped.variable)
    if (info === undefined) continue
    const axes = axesOf(mapped.row, info.shape.length, config)
    const expected = axes.map((axis) => axis.expected)
    const fits = info.shape.length === expected.length && expected.every((d, i) => d === null || d === info.shape[i])
    if (fits) continue
    throw malformed(`shape ${show(info.shape)} where ${show(expected)} is expected`, {
      code: 'shape-mismatch',
      file: info.file,
      tensor: mapped.variable,
      hint:
        `the configuration ${config.file} and the other weights give ` +
        `[${axes.map(({ label }) => label).join(', ')}]`,
    })
  }
}

/** The indices that are counted by a field. */
export const COUNTED = [
  ['l', 'num_hidden_layers'],
  ['g', 'num_hidden_groups'],
  ['j', 'inner_group_num'],
] as const

/** The mapped variable that has the highest index of that kind, or null if none has one. */
export const deepest = (found: Identification, key: 'l' | 'g' | 'j'): MappedVariable | null =>
  [...found.mapped.values()].reduce<MappedVariable | null>(
    (best, m) => ((m.indices[key] ?? -1) > (best?.indices[key] ?? -1) ? m : best),
    null,
  )

/**
 * Refuses weights that have more layers or groups than the configuration: running a part of a model would silently
 * give wrong results.
 * @throws AlbertkitError `malformed`
 */
export function checkDepth(found: Identification, config: ModelConfig): void {
  for (const [key, field] of COUNTED) {
    const last = deepest(found, key)
    const index = last?.indices[key]
    if (last === null || index === undefined || index < config[field]) continue
    throw malformed(`${field} is ${config[field]}, but the weights go up to number ${index}`, {
      code: 'config-mismatch',
      file: config.file,
      field,
      tensor: last.variable,
      hint: `${field} ${index + 1} would fit ${last.variable}`,
    })
  }
}
