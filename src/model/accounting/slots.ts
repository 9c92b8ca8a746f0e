import type { AlbertModel } from '../albert.js'
import { FFN_GROUPS, groupOfLayer, type ModelConfig } from '../config.js'
import { sizeOf } from '../load/dimensions.js'
import type { Product } from './formula.js'
import type { NameRow, NameTable } from '../names/row.js'
import { NAME_TABLES } from '../names/tables.js'
import { headsOf } from '../outputs.js'
import { HEAD_NAMES, headRow, type HeadName } from '../tasks.js'
import { parametersOf, useCounts } from '../tensors/read.js'

/**
 * Parameters of a model, from its configuration alone: no file is read. The slots and their dimensions come from
 * the name tables, so that they agree with a file slot by slot.
 */

/** Parts of the layers that share their parameters; `groups`: as Google's groups say. */
export const SHARINGS = ['groups', 'all', 'attention', 'ffn', 'none'] as const
export type Sharing = (typeof SHARINGS)[number]

/** Properties of a model that a configuration file leaves open. */
export interface SlotOptions {
  /** Sharing of layers; default that of the family: `groups` for google and hf, `all` for zh, `none` for BERT. */
  readonly sharing?: Sharing
  readonly heads?: readonly HeadName[]
  /** Default true. */
  readonly pooler?: boolean
  /** Classes of the classifier; 2 if left out. */
  readonly labels?: number
  /** Every layer has separate LayerNorms although its kernels are shared (google-research/albert#241). */
  readonly ownNorms?: boolean
  /** The MLM head has a separate decoder instead of the word embeddings. */
  readonly untied?: boolean
  /** The sentence-order head has a separate pooler (tf-models). */
  readonly orderPooler?: boolean
  /** The classifier has one. */
  readonly classifierPooler?: boolean
}

/** One distinct parameter. */
export interface Slot extends Product {
  readonly slot: string
  /** Logical shape: that of the forward pass. */
  readonly shape: readonly number[]
  /** Number of uses in the forward pass: a shared one once a layer. */
  readonly uses: number
  /** Of a head: true if it works on every token, false if on one vector a row. */
  readonly tokenwise: boolean
}

const LAYER_ROW = /^encoder\/(?:shared|layer_\{l\}|group_\{g\}\/inner_group_\{j\})\/((attention|ffn)\/.+)$/

/** The name table that `config` belongs to: the one of its family that names every parameter of a layer. */
export const tableOf = ({ family, architecture }: Pick<ModelConfig, 'family' | 'architecture'>): NameTable =>
  NAME_TABLES.find(
    (t) =>
      t.family === family &&
      t.architecture === architecture &&
      t.rows.some(({ slot }) => LAYER_ROW.exec(slot)?.[1] === 'ffn/LayerNorm/gamma'),
  )!

/** Sharing of layers in the family's own code. */
export function nativeSharing({ family, architecture }: Pick<ModelConfig, 'family' | 'architecture'>): Sharing {
  if (architecture === 'bert') return 'none'
  return family === 'zh' ? 'all' : 'groups'
}

interface Unit {
  readonly name: string
  readonly part: string
  readonly row: NameRow
}

const belongsTo = (slot: string, head: HeadName): boolean => slot.startsWith(`${headRow(head).part}/`)

/** True if the slot belongs to a head that reads every token. */
const isTokenwise = (slot: string, { heads = [] }: SlotOptions): boolean =>
  HEAD_NAMES.some((head) => {
    return headRow(head).reads === 'token' && belongsTo(slot, head) && heads.includes(head)
  })

/** Scope of one parameter of one inner layer. */
function scopeOf(config: ModelConfig, options: SlotOptions, unit: Unit, layer: number, inner: number): string {
  const { sharing = nativeSharing(config), ownNorms = false } = options
  if (ownNorms && unit.name.includes('/LayerNorm/')) return `encoder/layer_${layer}/inner_group_${inner}`
  if (sharing === 'groups') return `encoder/group_${groupOfLayer(config, layer)}/inner_group_${inner}`
  const scope = sharing === 'all' || sharing === unit.part ? 'encoder/shared' : `encoder/layer_${layer}`
  return config.inner_group_num === 1 ? scope : `${scope}/inner_group_${inner}`
}

/** No table of a family that is made from a configuration has it. */
const POOLER = [
  { leaf: 'kernel', dims: ['H', 'H'], layout: 'as_is' },
  { leaf: 'bias', dims: ['H'], layout: 'as_is' },
] as const

/** True if a row outside the layers belongs to the model that `config` and `options` describe. */
function isPresent(slot: string, config: ModelConfig, options: SlotOptions): boolean {
  const { pooler = true, heads = [], untied = false } = options
  if (slot.startsWith('embeddings/')) return true
  if (slot.startsWith('pooler/')) return pooler
  if (slot.startsWith('encoder/embedding_hidden_mapping_in/'))
    // transformers always has it; Google's code leaves it out if it would map a width to itself.
    return config.family === 'hf' || config.embedding_size !== config.hidden_size
  if (slot.startsWith('classifier/LayerNorm/')) return heads.includes('classifier') && config.norm_position === 'pre'
  if (slot === 'mlm/decoder') return untied
  // transformers writes the bias of its decoder twice.
  if (slot === 'mlm/decoder_bias') return false
  return heads.some((head) => belongsTo(slot, head))
}

/**
 * Every distinct parameter of a model.
 * @param config any family's configuration
 */
export function slotsOf(config: ModelConfig, options: SlotOptions = {}): Slot[] {
  const { labels = 2 } = options
  const slotOf = (slot: string, { dims, layout }: Pick<NameRow, 'dims' | 'layout'>, uses: number): Slot => {
    const sizes = dims.map((dim) => sizeOf(dim, config) ?? labels)
    const groups = layout === 'grouped' ? FFN_GROUPS : 1
    const shape = groups === 1 ? sizes : [groups, ...sizes.map((size) => size / groups)]
    return { slot, dims, groups, shape, uses, tokenwise: isTokenwise(slot, options) }
  }
  const outside = new Map<string, Slot>()
  const units = new Map<string, Unit>()
  for (const row of tableOf(config).rows) {
    const { slot } = row
    const [, name, part] = LAYER_ROW.exec(slot) ?? []
    if (name !== undefined && part !== undefined) units.set(name, { name, part, row })
    else if (!slot.includes('{') && isPresent(slot, config, options)) outside.set(slot, slotOf(slot, row, 1))
  }
  const poolers = [
    ...(options.orderPooler === true ? ['sop'] : []),
    ...(options.classifierPooler === true ? ['classifier'] : []),
  ]
  for (const head of poolers)
    for (const { leaf, ...row } of POOLER) {
      const slot = `${head}/pooler/dense/${leaf}`
      outside.set(slot, slotOf(slot, row, 1))
    }
  const layers = new Map<string, Slot>()
  for (let layer = 0; layer < config.num_hidden_layers; layer++)
    for (let inner = 0; inner < config.inner_group_num; inner++)
      for (const unit of units.values()) {
        const slot = `${scopeOf(config, options, unit, layer, inner)}/${unit.name}`
        layers.set(slot, slotOf(slot, unit.row, (layers.get(slot)?.uses ?? 0) + 1))
      }
  return [...outside.values(), ...layers.values()]
}

/** Options of a loaded model: choices that its configuration leaves open, read from its weights. */
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
    ownNorms: first?.outputNorm.gamma.slot.startsWith('encoder/layer_') === true && nativeSharing(config) === 'groups',
    untied: model.mlm !== null && model.mlm.decoder !== null,
    orderPooler: model.sop !== null && model.sop.pooler !== null,
    classifierPooler: classifier !== null && classifier.pooler !== null,
  }
}

/** The parameters of a loaded model as slots, with names, shapes and uses from the file. */
export function slotsIn(model: AlbertModel): Slot[] {
  const options = slotOptionsOf(model)
  const expected = new Map(slotsOf(model.config, options).map((s) => [s.slot, s]))
  const uses = useCounts(model)
  return [...parametersOf(model)].map((p) => ({
    slot: p.slot,
    dims: expected.get(p.slot)?.dims ?? [],
    groups: expected.get(p.slot)?.groups ?? 1,
    shape: p.shape,
    uses: uses.get(p) ?? 1,
    tokenwise: isTokenwise(p.slot, options),
  }))
}

/** Differences of a file and its configuration, slot by slot, in words; empty if they agree. */
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
