import { malformed, type AlbertkitError } from '../errors.js'
import type { TensorSource } from '../formats/source.js'
import type { AlbertModel, Block, ClassifierHead, Dense, LayerNorm, MlmHead, OutputHead, Parameter } from './albert.js'
import { groupOfLayer, type ModelConfig } from './config.js'
import { checkDepth, checkDimensions } from './dimensions.js'
import type { Identification, MappedVariable } from './identify.js'

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

  /** Whether any slot of a head or part is there: then all of it must be. */
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
    const storedShape = info.shape
    const shape = row.transposed ? [...storedShape].reverse() : storedShape
    return { slot, variable, shape, storedShape, layout: row.transposed ? 'transposed' : 'as_is', dtype: info.dtype }
  }

  /** A stand-in, so that one error can name everything that is missing. */
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

  block(attention: string, ffn: string): Block {
    return {
      query: this.dense(`${attention}/attention/query`),
      key: this.dense(`${attention}/attention/key`),
      value: this.dense(`${attention}/attention/value`),
      attentionOutput: this.dense(`${attention}/attention/output`),
      attentionNorm: this.norm(`${attention}/attention/LayerNorm`),
      intermediate: this.dense(`${ffn}/ffn/intermediate`),
      output: this.dense(`${ffn}/ffn/output`),
      outputNorm: this.norm(`${ffn}/ffn/LayerNorm`),
    }
  }
}

/** The scope that layer `l`'s attention or FFN takes its parameters from: the shared one if it exists. */
const scopeOf = (builder: Builder, part: 'attention' | 'ffn', layer: number): string =>
  builder.hasAny(`encoder/shared/${part}/`) ? 'encoder/shared' : `encoder/layer_${layer}`

function buildLayers(builder: Builder): Block[][] {
  const { config } = builder
  return Array.from({ length: config.num_hidden_layers }, (_, layer) => {
    if (config.architecture === 'albert' && config.family !== 'zh') {
      const group = `encoder/group_${groupOfLayer(config, layer)}`
      return Array.from({ length: config.inner_group_num }, (_unused, j) => {
        const unit = `${group}/inner_group_${j}`
        return builder.block(unit, unit)
      })
    }
    return [builder.block(scopeOf(builder, 'attention', layer), scopeOf(builder, 'ffn', layer))]
  })
}

function buildMapping(builder: Builder): Dense | null {
  const { config } = builder
  const slot = 'encoder/embedding_hidden_mapping_in'
  if (config.family === 'zh' || config.architecture === 'bert') return null
  // Google's code leaves the mapping out where it would map a width to itself; transformers never does.
  return builder.hasAny(`${slot}/`) || config.embedding_size !== config.hidden_size ? builder.dense(slot) : null
}

function buildClassifier(builder: Builder): ClassifierHead | null {
  if (!builder.hasAny('classifier/')) return null
  const norm = builder.hasAny('classifier/LayerNorm/') ? builder.norm('classifier/LayerNorm') : null
  return { ...builder.head('classifier'), norm }
}

const buildMlm = (builder: Builder): MlmHead => ({
  transform: builder.dense('mlm/transform/dense'),
  norm: builder.norm('mlm/transform/LayerNorm'),
  bias: builder.parameter('mlm/output_bias'),
})

/** A variable that the model needs and the file lacks. */
export interface MissingVariable {
  readonly slot: string
  /** The name it would have in this family. */
  readonly variable: string
}

/** The name that `slot` would have in the file. */
function expectedName(found: Identification, slot: string): string {
  const general = slot
    .replace(/(^|\/)layer_\d+/, '$1layer_{l}')
    .replace(/(^|\/)group_\d+/, '$1group_{g}')
    .replace(/inner_group_\d+/, 'inner_group_{j}')
  const row = found.table.rows.find((r) => r.slot === general)
  const used = [...found.mapped.values()].find((m) => m.row.prefixed)?.prefix
  const prefix = row?.prefixed === true ? (used ?? found.table.prefixes[0] ?? '') : ''
  const numbers = [...slot.matchAll(/_(\d+)(?=\/)/g)].map((m) => m[1] ?? '')
  return prefix + (row?.name ?? slot).replace(/\{[lgj]\}/g, () => numbers.shift() ?? '')
}

function missingError(builder: Builder, missing: readonly MissingVariable[]): AlbertkitError {
  const { found, source, config } = builder
  const expected = missing[0]?.variable ?? ''
  const leaf = expected.split(/[/.]/).slice(-2).join('/')
  const present = source.tensors.get(expected)
  if (present !== undefined) {
    return malformed(`the tensor has element type ${present.dtype}, which weights do not have`, {
      file: present.file,
      tensor: expected,
    })
  }
  const near = found.unknown.find((name) => name.split(/[/.]/).join('/').endsWith(leaf))
  const others = missing.length - 1
  const file = source.files[0]
  const nested = /layer_\d|group_\d/.test(missing[0]?.slot ?? '')
  const depth = `${config.file} says num_hidden_layers ${config.num_hidden_layers}, num_hidden_groups ${config.num_hidden_groups}; `
  const reason =
    near === undefined ? `read as ${found.table.title}: ${found.reason}` : `the nearest name in the file is ${near}`
  return malformed(`${expected} is missing${others > 0 ? `, and ${others} more variables` : ''}`, {
    ...(file === undefined ? {} : { file }),
    tensor: expected,
    hint: (nested ? depth : '') + reason,
  })
}

export interface ModelPlan {
  /** The typed tree; not to be run while anything is missing. */
  readonly model: AlbertModel
  readonly missing: readonly MissingVariable[]
  /** What to throw where something is missing. */
  readonly error: AlbertkitError | null
}

/**
 * Builds the typed model as far as the file has it, and checks every shape against the configuration.
 * @throws AlbertkitError `malformed` naming the field and the tensor that disagree.
 */
export function planModel(source: TensorSource, found: Identification, config: ModelConfig): ModelPlan {
  checkDepth(found, config)
  checkDimensions(source, found, config)
  const builder = new Builder(source, found, config)
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
    pooler: builder.hasAny('pooler/') ? builder.dense('pooler/dense') : null,
    mlm: builder.hasAny('mlm/') ? buildMlm(builder) : null,
    sop: builder.hasAny('sop/') ? builder.head('sop') : null,
    classifier: buildClassifier(builder),
  }
  const missing = builder.missing.map((slot) => ({ slot, variable: expectedName(found, slot) }))
  return { model, missing, error: missing.length > 0 ? missingError(builder, missing) : null }
}
