import type { AlbertModel } from './albert.js'
import { groupOfLayer, type ModelConfig } from './config.js'
import { sizeOf } from './dimensions.js'
import { NAME_TABLES, type Dim, type NameTable } from './names.js'
import { headsOf } from './outputs.js'
import { parametersOf, useCounts } from './weights.js'

/**
 * What parameters a model has, from its configuration alone: no file is read. The slots and their dimensions come from
 * the name tables, so that they agree with a file slot by slot.
 */

/** Which parts of the layers share their parameters; `groups` is Google's way, where the groups say it. */
export const SHARINGS = ['groups', 'all', 'attention', 'ffn', 'none'] as const
export type Sharing = (typeof SHARINGS)[number]

export type HeadName = 'mlm' | 'sop' | 'classifier'

/** What a configuration file leaves open. */
export interface SlotOptions {
  /** How layers share; the family's own way if left out: `groups` for Google and Hugging Face, `all` for zh, `none` for BERT. */
  readonly sharing?: Sharing
  readonly heads?: readonly HeadName[]
  /** Default true. */
  readonly pooler?: boolean
  /** Classes of the classifier; 2 if left out. */
  readonly labels?: number
}

/** One distinct parameter. */
export interface Slot {
  readonly slot: string
  /** Dimensions by symbol, as the name tables have them. */
  readonly dims: readonly Dim[]
  /** Shape as the forward pass means it. */
  readonly shape: readonly number[]
  /** How often the forward pass uses it: a shared one once a layer. */
  readonly uses: number
}

const LAYER_ROW = /^encoder\/(?:shared|layer_\{l\}|group_\{g\}\/inner_group_\{j\})\/((attention|ffn)\/.+)$/

/** The name table that `config` belongs to. */
export const tableOf = ({ family, architecture }: Pick<ModelConfig, 'family' | 'architecture'>): NameTable =>
  NAME_TABLES.find((t) => t.family === family && t.architecture === architecture)!

/** How the family's own code shares layers. */
export function nativeSharing({ family, architecture }: Pick<ModelConfig, 'family' | 'architecture'>): Sharing {
  if (architecture === 'bert') return 'none'
  return family === 'zh' ? 'all' : 'groups'
}

/** Scope of the parameters of one part of one inner layer. */
function scopeOf(config: ModelConfig, sharing: Sharing, part: string, layer: number, inner: number): string {
  if (sharing === 'groups') return `encoder/group_${groupOfLayer(config, layer)}/inner_group_${inner}`
  const scope = sharing === 'all' || sharing === part ? 'encoder/shared' : `encoder/layer_${layer}`
  return config.inner_group_num === 1 ? scope : `${scope}/inner_group_${inner}`
}

const HEADS: Readonly<Record<HeadName, RegExp>> = {
  mlm: /^mlm\//,
  sop: /^sop\//,
  classifier: /^classifier\//,
}

/** Whether a row outside the layers belongs to the model that `config` and `options` describe. */
function isPresent(slot: string, config: ModelConfig, { pooler = true, heads = [] }: SlotOptions): boolean {
  if (slot.startsWith('embeddings/')) return true
  if (slot.startsWith('pooler/')) return pooler
  if (slot.startsWith('encoder/embedding_hidden_mapping_in/'))
    // transformers always has it; Google's code leaves it out where it would map a width to itself.
    return config.family === 'hf' || config.embedding_size !== config.hidden_size
  if (slot.startsWith('classifier/LayerNorm/'))
    return heads.includes('classifier') && config.family === 'zh' && config.norm_position === 'pre'
  return heads.some((head) => HEADS[head].test(slot))
}

/**
 * Every distinct parameter of a model.
 * @param config any family's configuration
 */
export function slotsOf(config: ModelConfig, options: SlotOptions = {}): Slot[] {
  const { labels = 2, sharing = nativeSharing(config) } = options
  const shapeOf = (dims: readonly Dim[]): number[] => dims.map((dim) => sizeOf(dim, config) ?? labels)
  const outside = new Map<string, Slot>()
  const units = new Map<string, { readonly part: string; readonly dims: readonly Dim[] }>()
  for (const { slot, dims } of tableOf(config).rows) {
    const [, unit, part] = LAYER_ROW.exec(slot) ?? []
    if (unit !== undefined && part !== undefined) units.set(unit, { part, dims })
    else if (!slot.includes('{') && isPresent(slot, config, options))
      outside.set(slot, { slot, dims, shape: shapeOf(dims), uses: 1 })
  }
  const layers = new Map<string, Slot>()
  for (let layer = 0; layer < config.num_hidden_layers; layer++)
    for (let inner = 0; inner < config.inner_group_num; inner++)
      for (const [unit, { part, dims }] of units) {
        const slot = `${scopeOf(config, sharing, part, layer, inner)}/${unit}`
        const uses = (layers.get(slot)?.uses ?? 0) + 1
        layers.set(slot, { slot, dims, shape: shapeOf(dims), uses })
      }
  return [...outside.values(), ...layers.values()]
}

/** What a loaded model has of what its configuration leaves open. */
export function slotOptionsOf(model: AlbertModel): Required<SlotOptions> {
  const { config, layers, classifier, pooler } = model
  const first = layers[0]?.[0]
  const attention = first?.query.kernel.slot.startsWith('encoder/shared/') ?? false
  const ffn = first?.output.kernel.slot.startsWith('encoder/shared/') ?? false
  const byParts = attention ? (ffn ? 'all' : 'attention') : ffn ? 'ffn' : 'none'
  return {
    sharing: nativeSharing(config) === 'groups' ? 'groups' : byParts,
    heads: headsOf(model),
    pooler: pooler !== null,
    labels: classifier?.weight.shape[0] ?? 2,
  }
}

/** The parameters of a loaded model as slots, with what the file says of them. */
export function slotsIn(model: AlbertModel): Slot[] {
  const dimsOf = new Map(slotsOf(model.config, slotOptionsOf(model)).map((s) => [s.slot, s.dims]))
  const uses = useCounts(model)
  return [...parametersOf(model)].map((p) => ({
    slot: p.slot,
    dims: dimsOf.get(p.slot) ?? [],
    shape: p.shape,
    uses: uses.get(p) ?? 1,
  }))
}

/** What a file and its configuration disagree on, slot by slot, in words; empty where they agree. */
export function slotDifferences(model: AlbertModel): string[] {
  const expected = new Map(slotsOf(model.config, slotOptionsOf(model)).map((s) => [s.slot, s]))
  const differences: string[] = []
  for (const { slot, shape, uses } of slotsIn(model)) {
    const other = expected.get(slot)
    expected.delete(slot)
    if (other === undefined) differences.push(`${slot} is in the file and not in the configuration`)
    else if (other.shape.join() !== shape.join())
      differences.push(`${slot} is [${shape.join(', ')}] in the file and [${other.shape.join(', ')}] by configuration`)
    else if (other.uses !== uses) differences.push(`${slot} is used ${uses} times, ${other.uses} by configuration`)
  }
  return [...differences, ...[...expected.keys()].map((slot) => `${slot} is in the configuration and not in the file`)]
}
