import { malformed } from '../../base/errors.js'
import type { TensorSource } from '../../formats/core/source.js'
import type { RawConfig } from '../config.js'
import { isSplit } from './dimensions.js'
import type { Identification } from '../names/identification.js'
import { FIXED, WORDS } from './keras-config.js'
import type { Dim } from '../names/row.js'

/**
 * Configuration inferred from the weights alone: keras-hub's kernels keep the heads as an axis, and Keras stores the
 * names of layers with their weights. The number of uses of shared layers cannot be inferred.
 */

type Sizes = Readonly<Partial<Record<string, number>>>

const FIELDS: Readonly<Partial<Record<Dim, string>>> = {
  V: 'vocab_size',
  E: 'embedding_size',
  H: 'hidden_size',
  I: 'intermediate_size',
  P: 'max_position_embeddings',
  T: 'type_vocab_size',
}

/** The sizes that the shapes have. */
export function sizesOf(source: TensorSource, found: Identification): Sizes {
  const sizes: Partial<Record<string, number>> = {}
  for (const { variable, row } of found.mapped.values()) {
    const shape = source.tensors.get(variable)?.shape ?? []
    const at = row.dims.indexOf('A')
    if (isSplit(row, shape.length)) sizes.num_attention_heads ??= shape[at] ?? 1
    if (at !== -1 || shape.length !== row.dims.length) continue
    const dims = row.layout === 'transposed' ? [...row.dims].reverse() : row.dims
    dims.forEach((dim, axis) => {
      const field = FIELDS[dim]
      if (field !== undefined) sizes[field] ??= shape[axis] ?? 1
    })
  }
  return sizes
}

/** Count of consecutive indices from 0: one more than the highest. */
const count = (numbers: readonly number[]): number => Math.max(-1, ...numbers) + 1

/** Number of layers (`l`), groups (`g`) or inner layers (`j`) according to the names. */
export const highestIndex = (found: Identification, key: 'l' | 'g' | 'j'): number =>
  count([...found.mapped.values()].map((m) => m.indices[key] ?? -1))

/** Groups and inner layers, from the names that keras-hub gives the layers; a single layer is one group. */
function groupsOf(source: TensorSource, layers: number, given: RawConfig['fields']): Sizes {
  const named = [...(source.metadata?.values() ?? [])].flatMap((name) => {
    const [, g, j] = /^group_(\d{1,4})_inner_layer_(\d{1,4})$/.exec(name) ?? []
    return g === undefined ? [] : [[Number(g), Number(j)] as const]
  })
  const [groups, inner] = [count(named.map(([g]) => g)), count(named.map(([, j]) => j))]
  if (groups * inner === layers && layers > 0) return { num_hidden_groups: groups, inner_group_num: inner }
  const { num_hidden_groups: G, inner_group_num: J } = given
  if (typeof G === 'number' && layers % G === 0) return { inner_group_num: layers / G }
  if (typeof J === 'number' && layers % J === 0) return { num_hidden_groups: layers / J }
  return layers === 1 ? { num_hidden_groups: 1, inner_group_num: 1 } : {}
}

const NEEDED = {
  bert: ['num_hidden_layers', 'num_attention_heads', 'hidden_size', 'intermediate_size'],
  albert: [
    'num_hidden_layers',
    'num_hidden_groups',
    'inner_group_num',
    'num_attention_heads',
    'hidden_size',
    'embedding_size',
    'intermediate_size',
  ],
} as const

/**
 * Completes `given` by the fields that the weights determine.
 * @param given null if there is no configuration at all
 * @throws AlbertkitError `malformed` naming the field that neither determines
 */
export function completeFromWeights(source: TensorSource, found: Identification, given: RawConfig | null): RawConfig {
  const { architecture } = found.table
  const said = given?.fields ?? {}
  const place = given?.file ?? source.files[0] ?? ''
  const layers =
    architecture === 'bert' ? highestIndex(found, 'l') : highestIndex(found, 'g') * highestIndex(found, 'j')
  const told = {
    model_type: architecture,
    ...FIXED,
    ...sizesOf(source, found),
    ...(architecture === 'bert' ? { num_hidden_layers: layers } : groupsOf(source, layers, said)),
  }
  const fields: Record<string, unknown> = { ...told, ...said }
  const missing = NEEDED[architecture].find((field) => fields[field] === undefined)
  if (missing === undefined) return { ...given, file: place, fields }
  const word = WORDS[missing] ?? missing
  const sizes = Object.entries(fields).filter(([, value]) => Number.isInteger(value))
  throw malformed(
    (given === null ? 'there is no configuration beside the weights, and they' : 'the configuration and the weights') +
      ` do not tell ${word}`,
    {
      code: given === null ? 'config-missing' : 'config-invalid',
      file: place,
      field: missing,
      hint:
        `give \`config\` with {"${word}": …}; the weights tell the ` +
        `rest: ${sizes.map(([field, value]) => `${field} ${String(value)}`).join(', ')}`,
    },
  )
}
