import { AlbertkitError } from '../../src/base/errors.js'
import { DTYPE_BYTES, elementCount, type DType, type TensorSource } from '../../src/formats/core/source.js'
import { fillPattern } from '../../src/model/names/placeholders.js'
import type { NameRow, NameTable } from '../../src/model/names/row.js'
import { NAME_TABLES } from '../../src/model/names/tables.js'

/** Sources in memory that have names, shapes and element types: enough for all that is decided before a weight is read. */

export type Shapes = Readonly<Record<string, readonly number[]>>

export interface SourceOptions {
  readonly format?: string
  readonly metadata?: Readonly<Record<string, string>>
  readonly graph?: NonNullable<TensorSource['graph']>
  /** Element types that are not F32. */
  readonly dtypes?: Readonly<Record<string, DType>>
  /** Values; a tensor that has none here cannot be read. */
  readonly values?: Readonly<Record<string, readonly number[]>>
}

/** A file `weights` with tensors of these names and shapes. */
export function namedSource(shapes: Shapes, options: SourceOptions = {}): TensorSource {
  const { format = 'memory', metadata, graph, dtypes = {}, values = {} } = options
  const tensors = Object.entries(shapes).map(([name, shape]) => {
    const dtype = dtypes[name] ?? 'F32'
    return [
      name,
      { name, dtype, shape, byteLength: elementCount(shape) * DTYPE_BYTES[dtype], file: 'weights' },
    ] as const
  })
  return {
    format,
    files: ['weights'],
    notes: [],
    tensors: new Map(tensors),
    ...(metadata === undefined ? {} : { metadata: new Map(Object.entries(metadata)) }),
    ...(graph === undefined ? {} : { graph }),
    read(name, offset, target) {
      const given = values[name]
      if (given === undefined) throw new RangeError(`${name} has no values`)
      const bytes = new Uint8Array(Float32Array.from(given).buffer)
      if (offset + target.length > bytes.length) throw new RangeError(`${name} ends before ${offset + target.length}`)
      target.set(bytes.subarray(offset, offset + target.length))
    },
    verifyChecksum: () => undefined,
    close: () => undefined,
  }
}

export const tableOf = (title: string): NameTable => {
  const found = NAME_TABLES.find((table) => table.title === title)
  if (found === undefined) throw new RangeError(title)
  return found
}

/** Sizes of a small model, all different, so that no axis can be taken for another. */
export interface Sizes {
  readonly V: number
  readonly E: number
  readonly H: number
  readonly I: number
  readonly P: number
  readonly T: number
  readonly N: number
  readonly heads: number
  readonly layers: number
  readonly groups: number
  readonly inner: number
}
export const SIZES: Sizes = { V: 11, E: 4, H: 8, I: 12, P: 6, T: 5, N: 3, heads: 2, layers: 2, groups: 1, inner: 1 }

/** The configuration of a model of those sizes, in the words of Google's code. */
export const fieldsOf = (s: Sizes = SIZES): Record<string, unknown> => ({
  vocab_size: s.V,
  embedding_size: s.E,
  hidden_size: s.H,
  num_hidden_layers: s.layers,
  num_hidden_groups: s.groups,
  inner_group_num: s.inner,
  num_attention_heads: s.heads,
  intermediate_size: s.I,
  max_position_embeddings: s.P,
  type_vocab_size: s.T,
  hidden_act: 'gelu',
})

export interface ModelOptions {
  readonly sizes?: Partial<Sizes>
  /** Parts outside embeddings and layers: `pooler`, `classifier`, `mlm/decoder` …; the pooler if left out. */
  readonly parts?: readonly string[]
  /** Scope before every name. */
  readonly scope?: string
  /** Prefix of the family; its usual one if left out. */
  readonly prefix?: string
  /** True if the axis of attention is stored as two, heads and size of a head. */
  readonly split?: boolean
  /** Scope of the layers in albert_zh: shared (default) or apart. */
  readonly apart?: boolean
}

const PARTS: Readonly<Record<string, RegExp>> = {
  pooler: /^pooler\//,
  classifier: /^classifier\/output_/,
  sop: /^sop\/output_/,
  mlm: /^mlm\/(?:transform|output_bias)/,
  qa: /^qa\//,
}

function shapeOf({ dims, layout }: NameRow, s: Sizes, split: boolean): number[] {
  const sizeOf = (dim: string): number[] => {
    if (dim === 'A') return split ? [s.heads, s.H / s.heads] : [s.H]
    const [whole = '', part] = dim.split('/')
    const size = /^\d+$/.test(whole) ? Number(whole) : s[whole as 'H']
    return [part === undefined ? size : size / Number(part)]
  }
  const sizes = dims.flatMap(sizeOf)
  if (layout === 'grouped') return [...sizes.map((size) => size / 16), 16]
  return layout === 'transposed' ? sizes.reverse() : sizes
}

/** Every index that the names of a row are written with. */
function indicesOf({ slot }: NameRow, s: Sizes): Parameters<typeof fillPattern>[1][] {
  const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i)
  if (slot.includes('{g}'))
    return upTo(s.groups).flatMap((g) => upTo(s.inner).map((j) => ({ g, j, l: g * s.inner + j })))
  if (!slot.includes('{l}')) return [{ l: 0, n: 2 * s.layers * s.inner + 1 }]
  const groupOf = (l: number): number => Math.trunc((l / s.layers) * s.groups)
  const first = (l: number): number => upTo(s.layers).find((other) => groupOf(other) === groupOf(l))!
  const place = slot.includes('/attention/') ? 1 : 2
  return upTo(s.layers).flatMap((l) =>
    upTo(s.inner).map((j) => ({ l, j, g: groupOf(l), k: l - first(l), n: 2 * (l * s.inner + j) + place })),
  )
}

/** Names and shapes of a whole model as the code of a family stores it. */
export function modelShapes(of: string | NameTable, options: ModelOptions = {}): Record<string, readonly number[]> {
  const { parts = ['pooler'], scope = '', split = false, apart = false } = options
  const table = typeof of === 'string' ? tableOf(of) : of
  const prefix = options.prefix ?? table.prefixes[0] ?? ''
  const sizes = { ...SIZES, ...options.sizes }
  const hasShared = table.rows.some(({ slot }) => slot.startsWith('encoder/shared/'))
  const isWanted = ({ slot, name }: NameRow): boolean => {
    if (slot.startsWith('embeddings/')) return true
    if (!slot.startsWith('encoder/'))
      return parts.some((part) => PARTS[part]?.test(slot) ?? (slot === part || slot.startsWith(`${part}/`)))
    return !hasShared || (slot.startsWith('encoder/shared/') !== apart && (!apart || !name.includes('layer_shared')))
  }
  const shapes: Record<string, readonly number[]> = {}
  const seen = new Set<string>()
  for (const row of table.rows.filter(isWanted)) {
    if (seen.has(row.slot)) continue
    seen.add(row.slot)
    for (const indices of indicesOf(row, sizes))
      shapes[scope + (row.prefixed ? prefix : '') + fillPattern(row.name, indices)] = shapeOf(row, sizes, split)
  }
  return shapes
}

/** What a call says of its error, as the contract of `--json` has it; the test fails if there is none. */
export function errorOf(body: () => unknown): Record<string, unknown> {
  try {
    body()
  } catch (error) {
    if (error instanceof AlbertkitError) return error.toJSON()
    throw error
  }
  throw new Error('it did not fail')
}
