import { malformed, unsupported, type AlbertkitError, type ErrorPlace } from '../../base/errors.js'
import { DTYPE_BYTES, type TensorSource } from '../../formats/core/source.js'
import type {
  AlbertModel,
  Block,
  ClassifierHead,
  Dense,
  LayerNorm,
  MlmHead,
  OutputHead,
  Parameter,
  SopHead,
} from '../albert.js'
import type { ClassifierKind } from '../tasks.js'
import { FFN_GROUPS, groupOfLayer, type ModelConfig } from '../config.js'
import { refuseAbsentPart } from './absent-part.js'
import { checkDepth, checkDimensions, COUNTED, deepest, mergeHeads } from './dimensions.js'
import type { MappedVariable } from '../names/identification.js'
import type { Identification } from '../names/identification.js'
import { fillPattern, nameIndices, slotPattern } from '../names/placeholders.js'
import type { NameRow } from '../names/row.js'

/** Logical shape of a stored one. */
function logicalShape({ layout }: NameRow, stored: readonly number[]): readonly number[] {
  if (layout === 'transposed') return [...stored].reverse()
  return layout === 'grouped' ? [FFN_GROUPS, ...stored.slice(0, -1)] : stored
}

/** Builds the typed tree from the variables that were found; every slot is made once, so sharing is identity. */
class Builder {
  readonly #parameters = new Map<string, Parameter>()
  readonly missing: string[] = []

  constructor(
    readonly source: TensorSource,
    readonly found: Identification,
    readonly config: ModelConfig,
  ) {}

  has(slot: string): boolean {
    return this.found.mapped.has(slot)
  }

  /** True if any slot of a head or part is there: then all of it must be. */
  hasAny(prefix: string): boolean {
    return [...this.found.mapped.keys()].some((slot) => slot.startsWith(prefix))
  }

  parameter(slot: string): Parameter {
    const known = this.#parameters.get(slot)
    if (known !== undefined) return known
    const mapped = this.found.mapped.get(slot)
    const made = mapped === undefined ? this.#absent(slot) : this.#present(slot, mapped)
    this.#parameters.set(slot, made)
    return made
  }

  #present(slot: string, { variable, row }: MappedVariable): Parameter {
    const info = this.source.tensors.get(variable)
    if (info === undefined) throw new RangeError(variable)
    const storedShape = mergeHeads(row, info.shape)
    return { slot, variable, shape: logicalShape(row, storedShape), storedShape, layout: row.layout, dtype: info.dtype }
  }

  /** A placeholder, so that one error can name everything that is missing. */
  #absent(slot: string): Parameter {
    this.missing.push(slot)
    return { slot, variable: '', shape: [], storedShape: [], layout: 'as_is', dtype: 'F32' }
  }

  dense(slot: string): Dense {
    return { kernel: this.parameter(`${slot}/kernel`), bias: this.parameter(`${slot}/bias`) }
  }

  norm(slot: string): LayerNorm {
    return { gamma: this.parameter(`${slot}/gamma`), beta: this.parameter(`${slot}/beta`) }
  }

  head(slot: string): OutputHead {
    return { weight: this.parameter(`${slot}/output_weights`), bias: this.parameter(`${slot}/output_bias`) }
  }

  /** @param norms scopes of the LayerNorms, if a layer has its own */
  block(attention: string, ffn: string, norms = { attention, ffn }): Block {
    return {
      query: this.dense(`${attention}/attention/query`),
      key: this.dense(`${attention}/attention/key`),
      value: this.dense(`${attention}/attention/value`),
      attentionOutput: this.dense(`${attention}/attention/output`),
      attentionNorm: this.norm(`${norms.attention}/attention/LayerNorm`),
      intermediate: this.dense(`${ffn}/ffn/intermediate`),
      output: this.dense(`${ffn}/ffn/output`),
      outputNorm: this.norm(`${norms.ffn}/ffn/LayerNorm`),
    }
  }
}

/** The scope that layer `l`'s attention or FFN takes its parameters from: the shared one if it exists. */
const scopeOf = (builder: Builder, part: 'attention' | 'ffn', layer: number): string =>
  builder.hasAny(`encoder/shared/${part}/`) ? 'encoder/shared' : `encoder/layer_${layer}`

/** True if kernels are shared but every layer has separate LayerNorms (google-research/albert#241). */
export const hasLayerNorms = (found: Identification): boolean =>
  [...found.mapped.keys()].some((slot) => /^encoder\/layer_\d+\/inner_group_\d+\/\w+\/LayerNorm\//.test(slot))

function buildLayers(builder: Builder): Block[][] {
  const { config } = builder
  const ownNorms = hasLayerNorms(builder.found)
  return Array.from({ length: config.num_hidden_layers }, (_, layer) => {
    if (config.architecture === 'albert' && config.family !== 'zh') {
      const group = `encoder/group_${groupOfLayer(config, layer)}`
      return Array.from({ length: config.inner_group_num }, (_unused, j) => {
        const unit = `${group}/inner_group_${j}`
        const own = `encoder/layer_${layer}/inner_group_${j}`
        return builder.block(unit, unit, ownNorms ? { attention: own, ffn: own } : undefined)
      })
    }
    return [builder.block(scopeOf(builder, 'attention', layer), scopeOf(builder, 'ffn', layer))]
  })
}

function buildMapping(builder: Builder): Dense | null {
  const { config } = builder
  const slot = 'encoder/embedding_hidden_mapping_in'
  if (config.family === 'zh' || config.architecture === 'bert') return null
  // Google's code leaves the mapping out if it would map a width to itself; transformers never does.
  return builder.hasAny(`${slot}/`) || config.embedding_size !== config.hidden_size ? builder.dense(slot) : null
}

/** Kinds of the classifier that do not come from weights and configuration. */
export interface ClassifierKinds {
  /** Kind that the caller asks for; overrides the configuration. */
  readonly asked?: ClassifierKind | undefined
  /** Kind that the graph saved with the weights or the names of the classes show. */
  readonly found?: ClassifierKind | undefined
}

/**
 * Kind of the classifier: from the caller, else the configuration, else its name, else the files next to the weights;
 * else `token` for a model that was saved without a pooler, `sequence` for others.
 */
function buildClassifier(builder: Builder, { asked, found }: ClassifierKinds): ClassifierHead | null {
  if (!builder.hasAny('classifier/')) return null
  const norm = builder.hasAny('classifier/LayerNorm/') ? builder.norm('classifier/LayerNorm') : null
  const pooler = ownPooler(builder, 'classifier')
  const named = builder.found.mapped.get('classifier/output_weights')?.row.classifies
  const unsaid = named ?? found ?? (pooler !== null || builder.hasAny('pooler/') ? 'sequence' : 'token')
  return { kind: asked ?? builder.config.classifier_kind ?? unsaid, ...builder.head('classifier'), norm, pooler }
}

const ownPooler = (builder: Builder, head: 'sop' | 'classifier'): Dense | null =>
  builder.hasAny(`${head}/pooler/`) ? builder.dense(`${head}/pooler/dense`) : null

const buildSop = (builder: Builder): SopHead => ({ ...builder.head('sop'), pooler: ownPooler(builder, 'sop') })

/** A model that its configuration calls a classifier of sequences classifies what a pooler gives. */
const needsPooler = ({ config }: Builder, classifier: ClassifierHead | null): boolean =>
  classifier !== null &&
  classifier.pooler === null &&
  (config.classifier_kind === 'sequence' || config.classifier_kind === 'choice')

const buildMlm = (builder: Builder): MlmHead => ({
  transform: builder.dense('mlm/transform/dense'),
  norm: builder.norm('mlm/transform/LayerNorm'),
  bias: builder.parameter('mlm/output_bias'),
  decoder: builder.has('mlm/decoder') ? builder.parameter('mlm/decoder') : null,
})

/** A variable that the model needs and the file lacks. */
export interface MissingVariable {
  readonly slot: string
  /** The name it would have in this family. */
  readonly variable: string
}

/** The name that `slot` would have in the file. */
function expectedName(found: Identification, config: ModelConfig, slot: string): string {
  const { pattern, indices } = slotPattern(slot)
  const row = found.table.rows.find((r) => r.slot === pattern)
  const used = [...found.mapped.values()].find((m) => m.row.prefixed)?.prefix
  const prefix = row?.prefixed === true ? (used ?? found.table.prefixes[0] ?? '') : ''
  return prefix + fillPattern(row?.name ?? slot, nameIndices(config, slot, indices))
}

/** Error for missing variables of layers or groups past the last one: names the field and the value that would fit. */
function depthError(builder: Builder, first: MissingVariable, others: string): AlbertkitError | null {
  const { found, config } = builder
  const { indices } = slotPattern(first.slot)
  for (const [key, field] of COUNTED) {
    const index = indices[key]
    const count = (deepest(found, key)?.indices[key] ?? -1) + 1
    if (index === undefined || index < count || count === 0) continue
    return malformed(
      `${field} is ${config[field]}, but the weights have ${count}: ${first.variable} is missing${others}`,
      {
        code: 'config-mismatch',
        file: config.file,
        field,
        tensor: first.variable,
        hint: `${field} ${count} would fit the weights; read as ${found.table.title}: ${found.reason}`,
      },
    )
  }
  return null
}

function missingError(builder: Builder, missing: readonly MissingVariable[]): AlbertkitError {
  const { found, source, config } = builder
  const [first = { slot: '', variable: '' }] = missing
  const expected = first.variable
  const file = source.files[0]
  const place: ErrorPlace = { ...(file === undefined ? {} : { file }), tensor: expected }
  const present = source.tensors.get(expected)
  if (present !== undefined) {
    // Numbers are well-formed: quantised weights, say. Strings in place of weights are damage.
    const fail = DTYPE_BYTES[present.dtype] > 0 || present.spelling !== undefined ? unsupported : malformed
    return fail(`the tensor has element type ${present.spelling ?? present.dtype}, which weights do not have`, {
      code: 'dtype-unsupported',
      ...place,
      file: present.file,
      hint: 'weights are F32, F16, BF16 or F64: save what quantised ones stand for',
    })
  }
  const others = missing.length > 1 ? `, and ${missing.length - 1} more variable${missing.length > 2 ? 's' : ''}` : ''
  const absent = refuseAbsentPart(
    found,
    missing.map(({ slot }) => slot),
    place,
  )
  if (absent !== null) return absent
  const depth = depthError(builder, first, others)
  if (depth !== null) return depth
  const leaf = expected.split(/[/.]/).slice(-2).join('/')
  const near = found.unknown.find((name) => name.split(/[/.]/).join('/').endsWith(leaf))
  const nested = /layer_\d|group_\d/.test(first.slot)
  const sizes =
    `${config.file} says num_hidden_layers ${config.num_hidden_layers}, ` +
    `num_hidden_groups ${config.num_hidden_groups}; `
  const reason =
    near === undefined ? `read as ${found.table.title}: ${found.reason}` : `the nearest name in the file is ${near}`
  return malformed(`${expected} is missing${others}`, {
    code: 'tensor-missing',
    ...place,
    hint: (nested ? sizes : '') + reason,
  })
}

export interface ModelPlan {
  /** The typed tree; not to be run while anything is missing. */
  readonly model: AlbertModel
  readonly missing: readonly MissingVariable[]
  /** Error to throw if something is missing; else null. */
  readonly error: AlbertkitError | null
}

/**
 * Builds the typed model as far as the file has it, and checks every shape against the configuration.
 * @throws AlbertkitError `malformed` naming the field and the tensor that disagree.
 */
export function planModel(
  source: TensorSource,
  found: Identification,
  config: ModelConfig,
  kinds: ClassifierKinds = {},
): ModelPlan {
  checkDepth(found, config)
  checkDimensions(source, found, config)
  const builder = new Builder(source, found, config)
  const classifier = buildClassifier(builder, kinds)
  const model: AlbertModel = {
    config,
    embeddings: {
      word: builder.parameter('embeddings/word_embeddings'),
      factor: config.family === 'zh' ? builder.parameter('embeddings/word_embeddings_2') : null,
      position: builder.parameter('embeddings/position_embeddings'),
      tokenType: builder.parameter('embeddings/token_type_embeddings'),
      norm: builder.norm('embeddings/LayerNorm'),
      mapping: buildMapping(builder),
    },
    layers: buildLayers(builder),
    pooler: builder.hasAny('pooler/') || needsPooler(builder, classifier) ? builder.dense('pooler/dense') : null,
    mlm: builder.hasAny('mlm/') ? buildMlm(builder) : null,
    sop: builder.hasAny('sop/output_') ? buildSop(builder) : null,
    classifier,
    qa: builder.hasAny('qa/') ? builder.head('qa') : null,
  }
  const missing = builder.missing.map((slot) => ({ slot, variable: expectedName(found, config, slot) }))
  return { model, missing, error: missing.length > 0 ? missingError(builder, missing) : null }
}
