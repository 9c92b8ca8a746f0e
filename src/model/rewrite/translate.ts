import type { CheckpointTarget } from '../../base/artefact-layout.js'
import { unsupported, type AlbertkitError } from '../../base/errors.js'
import type { TensorSource } from '../../formats/core/source.js'
import type { AlbertModel, Dense, Parameter } from '../albert.js'
import { groupsLast, identityMatrix, isIdentity, product, ungrouped, zeros, type Fill } from '../tensors/derived.js'
import { FFN_GROUPS, groupOfLayer, type ModelConfig } from '../config.js'
import { headsOf } from '../outputs.js'
import { arrange, isRunnable } from './group-layers.js'
import { nameSlots, tableFor } from '../names/write-names.js'
import { blockRoles, outerParameters } from '../tensors/roles.js'
import type { Architecture, PlannedTensor, Translation } from './translation.js'
import { parametersOf } from '../tensors/read.js'

/**
 * Translation of a model into the names, layouts and values of another family. Refused, with the reason, if the other
 * family would not compute the same.
 */

const MAPPING = 'encoder/embedding_hidden_mapping_in'
const WORD = 'embeddings/word_embeddings'
const FACTOR = 'embeddings/word_embeddings_2'

/** A slot of the target and the tensor that fills it. */
interface ComputedTensor {
  readonly slot: string
  readonly from: Parameter | { readonly shape: readonly number[]; readonly fill: Fill }
}

/** Advice that is always possible. */
const ANY = '`targets` onnx and `targets` tfjs take every model'

const HF_MASK_PENALTY = -3.4028234663852886e38

class Translator {
  constructor(
    readonly model: AlbertModel,
    readonly source: TensorSource,
  ) {}

  get config(): ModelConfig {
    return this.model.config
  }

  refuse(message: string, hint: string, tensor?: string): AlbertkitError {
    const file = this.source.files[0]
    return unsupported(message, {
      code: 'translation-impossible',
      ...(file === undefined ? {} : { file }),
      ...(tensor === undefined ? {} : { tensor }),
      hint,
    })
  }

  /** Each parameter under its own slot. */
  own(): ComputedTensor[] {
    return [...parametersOf(this.model)].map((from) => ({ slot: from.slot, from }))
  }

  /** Mapping that changes nothing: transformers' ALBERT has one even if E = H. */
  identity(width: number): ComputedTensor[] {
    return [
      { slot: `${MAPPING}/kernel`, from: { shape: [width, width], fill: identityMatrix(width) } },
      { slot: `${MAPPING}/bias`, from: { shape: [width], fill: zeros } },
    ]
  }

  refusePreNorm(): void {
    if (this.config.norm_position === 'post' && (this.model.classifier?.norm ?? null) === null) return
    throw this.refuse(
      'the model is pre-LN: it normalises the input of each sub-layer, where ' +
        'the ALBERT and BERT of transformers normalise each sum',
      'no weights make the two the same; `targets` tf keeps the model as ' +
        'it is, `targets` onnx and `targets` tfjs run it',
    )
  }

  /** Refuses a head with a separate pooler (tf-models) or another activation or epsilon than the layers (keras-hub). */
  refuseHeads(whose: string): void {
    const { config, model } = this
    const pooler = model.sop?.pooler ?? model.classifier?.pooler ?? null
    if (pooler !== null) {
      const head = model.sop?.pooler == null ? 'classifier' : 'next-sentence head'
      throw this.refuse(
        `the ${head} of this model has a pooler of its own, beside that of the encoder; ${whose} code has one for both`,
        ANY,
        pooler.kernel.variable,
      )
    }
    if (model.mlm === null || config.mlm_head === undefined) return
    const { hidden_act, layer_norm_eps } = config.mlm_head
    const act = hidden_act === config.hidden_act ? null : `takes ${hidden_act}, its layers ${config.hidden_act}`
    const what = act ?? `has the LayerNorm epsilon ${layer_norm_eps}, its layers ${config.layer_norm_eps}`
    throw this.refuse(
      `the masked-token head of this model ${what}; ${whose} code has one for both`,
      act === null
        ? `\`layerNormEpsilon\` ${config.layer_norm_eps} takes that for the head ` +
            `as well, which changes its logits a little; ${ANY}`
        : ANY,
      model.mlm.norm.gamma.variable,
    )
  }

  /** Google's and transformers' group of a layer are two formulas; if they disagree, the layers would be others. */
  refuseGroups(config: ModelConfig, there: ModelConfig, whose: string): void {
    const layers = Array.from({ length: config.num_hidden_layers }, (_, l) => l)
    const differs = layers.find((l) => groupOfLayer(config, l) !== groupOfLayer(there, l))
    const hint =
      there.family === 'hf'
        ? '`targetArchitecture` albert writes every layer as a group of its own'
        : 'convert to `targets` safetensors, `targets` onnx or `targets` tfjs'
    const [L, G] = [config.num_hidden_layers, config.num_hidden_groups]
    if (differs !== undefined) {
      throw this.refuse(
        `with ${L} layers in ${G} groups, layer ${differs} takes group ` +
          `${groupOfLayer(config, differs)} here and group ${groupOfLayer(there, differs)} in ${whose} code`,
        hint,
      )
    }
    const used = new Set(layers.map((l) => groupOfLayer(config, l)))
    if (used.size === G) return
    throw this.refuse(`only ${used.size} of the ${G} groups are used, but ${whose} code makes all of them`, hint)
  }

  /** True if the mapping is absent or the identity. */
  mapsToItself(mapping: Dense | null): boolean {
    return mapping === null || isIdentity(this.source, mapping)
  }

  /** Plans the tensors of the target, each with its name and layout there. */
  finish(
    config: ModelConfig,
    filled: readonly ComputedTensor[],
    form: Architecture | null,
    notes: string[] = [],
  ): Translation {
    const slots = filled.map(({ slot }) => slot)
    const table = tableFor(config, slots)
    const bare = table.family === 'hf' && headsOf(this.model).length === 0
    const names = nameSlots(table, config, slots, { bare })
    const tensors = filled.map(({ slot, from }): PlannedTensor => {
      const named = names.get(slot) ?? null
      if (named === null) {
        const variable = 'variable' in from ? from.variable : slot
        throw this.refuse(`${table.title} has no place for ${slot}`, ANY, variable)
      }
      const grouped = named.row.layout === 'grouped'
      if (grouped && 'layout' in from && from.layout !== 'grouped') return this.#groupsLast(named.name, slot, from)
      const logicalShape = from.shape
      const transposed = named.row.layout === 'transposed'
      const shape = transposed
        ? [...logicalShape].reverse()
        : grouped && 'storedShape' in from
          ? from.storedShape
          : logicalShape
      const common = { name: named.name, slot, logicalShape, shape, transposed }
      return 'variable' in from
        ? { ...common, dtype: from.dtype, origin: { kind: 'parameter', parameter: from } }
        : { ...common, dtype: 'F32', origin: { kind: 'computed', fill: from.fill } }
    })
    return { table, config, form, tensors, notes }
  }

  /** transformers' names for a model of the same maths. */
  toHuggingFace(): Translation {
    this.refusePreNorm()
    this.refuseHeads("transformers'")
    const { config, model } = this
    const { family, architecture } = config
    if (family === 'zh') {
      throw this.refuse(
        'albert_zh applies word_embeddings_2 before position and token type are ' +
          "added; transformers' ALBERT adds them first, at width E",
        '`targetArchitecture` bert writes a plain BERT with the same outputs, `targetArchitecture` ' +
          'albert an ALBERT of embedding_size = hidden_size that shares its layers',
        model.embeddings.factor?.variable,
      )
    }
    const there: ModelConfig = { ...config, family: 'hf', mask_penalty: HF_MASK_PENALTY }
    if (family === 'google') this.refuseGroups(config, there, "transformers'")
    if (family === 'google_fast') {
      throw this.refuse(
        `the feed-forward kernels of google_fast are ${FFN_GROUPS} groups, each of ` +
          `its own channels; those of transformers' ALBERT are whole`,
        `\`targetArchitecture\` albert writes them whole, with zeros between the groups; ${ANY}`,
        model.layers[0]?.[0]?.intermediate.kernel.variable,
      )
    }
    const own = this.#ownNorm()
    if (own !== null) {
      throw this.refuse(
        'every layer has LayerNorms of its own beside kernels that are ' +
          "shared; transformers' ALBERT shares both or neither",
        '`targetArchitecture` albert writes every layer as a group of its own',
        own.variable,
      )
    }
    const filled = [...this.own(), ...this.#decoderBias()]
    if (architecture === 'albert' && model.embeddings.mapping === null)
      filled.push(...this.identity(config.hidden_size))
    const { num_hidden_layers, num_hidden_groups, inner_group_num } = config
    const runs = architecture === 'bert' || isRunnable(num_hidden_layers, num_hidden_groups, inner_group_num)
    const note =
      `transformers 4 fails on a group of more inner layers (${inner_group_num}) ` +
      'than layers take it; `targetArchitecture` albert writes a group for each'
    return this.finish(there, filled, null, runs ? [] : [note])
  }

  /** The names of TensorFlow's code: the source's own, or Google's for a model of transformers. */
  toTensorFlow(): Translation {
    this.refuseHeads("Google's")
    const { config, model } = this
    const family = config.family !== 'hf' ? config.family : config.architecture === 'bert' ? 'bert' : 'google'
    const there: ModelConfig = { ...config, family, mask_penalty: -10000 }
    let filled = this.own()
    if (config.family === 'hf' && family === 'google') {
      this.refuseGroups(config, there, "Google's")
      if (config.embedding_size === config.hidden_size) {
        if (!this.mapsToItself(model.embeddings.mapping)) {
          throw this.refuse(
            `embedding_size equals hidden_size (${config.hidden_size}), where Google's code ` +
              'has no embedding_hidden_mapping_in, and this one is no identity',
            'convert to `targets` safetensors, `targets` onnx or `targets` tfjs',
            model.embeddings.mapping?.kernel.variable,
          )
        }
        filled = filled.filter(({ slot }) => !slot.startsWith(`${MAPPING}/`))
      }
    }
    const decoder = model.mlm?.decoder ?? null
    if (decoder !== null) {
      throw this.refuse(
        "the masked-token head has a decoder of its own, where TensorFlow's code always takes the word embeddings",
        '`targets` safetensors keeps it',
        decoder.variable,
      )
    }
    return this.finish(there, filled, null, this.#foreignToTensorFlow())
  }

  /** Notes on settings that the configuration of TensorFlow's code cannot express. */
  #foreignToTensorFlow(): string[] {
    const { hidden_act, layer_norm_eps, family } = this.config
    const notes: string[] = []
    if (family === 'hf' && (hidden_act === 'gelu_erf' || hidden_act === 'swish'))
      notes.push(
        `Google's modeling.py has no ${hidden_act === 'swish' ? 'swish' : 'erf form of GELU'}: the ` +
          `configuration names it in transformers' words, which that code refuses`,
      )
    if (layer_norm_eps !== 1e-12)
      notes.push(`Google's modeling.py has no layer_norm_eps: its LayerNorm takes 1e-12, this model ${layer_norm_eps}`)
    return notes
  }

  /** A LayerNorm that belongs to one layer alone while the kernels are shared, or null. */
  #ownNorm(): Parameter | null {
    const [first, ...rest] = this.model.layers.flat()
    const own = rest.find(
      (b) => b.query.kernel === first?.query.kernel && b.outputNorm.gamma !== first.outputNorm.gamma,
    )
    return own?.outputNorm.gamma ?? null
  }

  /** transformers stores the bias of an untied decoder twice, once with the decoder. */
  #decoderBias(): ComputedTensor[] {
    const { mlm } = this.model
    return mlm?.decoder == null ? [] : [{ slot: 'mlm/decoder_bias', from: mlm.bias }]
  }

  /** Moves the axis of sixteen groups last; a tfjs artefact and the first edition of the code have it first. */
  #groupsLast(name: string, slot: string, from: Parameter): PlannedTensor {
    const [groups = 1, rows = 1, columns = 1] = from.shape
    const shape = [rows, columns, groups]
    const fill = groupsLast(this.source, from)
    return {
      name,
      slot,
      logicalShape: shape,
      shape,
      transposed: false,
      dtype: 'F32',
      origin: { kind: 'computed', fill },
    }
  }

  /** A kernel as a whole matrix: the groups of google_fast are written out, with zeros between them. */
  #whole(slot: string, from: Parameter): ComputedTensor {
    if (from.shape.length !== 3) return { slot, from }
    const [groups = 1, rows = 1, columns = 1] = from.shape
    return { slot, from: { shape: [groups * rows, groups * columns], fill: ungrouped(this.source, from) } }
  }

  /** Word embeddings as one table of the hidden width, for a model whose factor comes right after the lookup. */
  #words(): ComputedTensor {
    const { word, factor } = this.model.embeddings
    if (factor === null) return { slot: WORD, from: word }
    const shape = [word.shape[0] ?? 1, factor.shape[1] ?? 1]
    return { slot: WORD, from: { shape, fill: product(this.source, word, factor) } }
  }

  /** Everything outside the layers, the words multiplied out, the mapping left out. */
  #outer(): ComputedTensor[] {
    const rest = outerParameters(this.model).filter(
      ({ slot }) => slot !== WORD && slot !== FACTOR && !slot.startsWith(`${MAPPING}/`),
    )
    return [this.#words(), ...rest.map((from): ComputedTensor => ({ slot: from.slot, from })), ...this.#decoderBias()]
  }

  /** A plain BERT: one layer for each inner layer. */
  toBert(): Translation {
    this.refusePreNorm()
    this.refuseHeads("transformers'")
    const { config, model } = this
    const { embedding_size: E, hidden_size: H } = config
    if (config.family !== 'zh' && E !== H) {
      throw this.refuse(
        `the embeddings are normalised at width ${E} and then mapped to ${H}: ` +
          `BERT normalises at width ${H}, so no table does the same`,
        '`targets` safetensors writes it as the ALBERT it is',
        model.embeddings.mapping?.kernel.variable,
      )
    }
    if (!this.mapsToItself(model.embeddings.mapping)) {
      throw this.refuse(
        'embedding_hidden_mapping_in is no identity, and BERT has nothing between its embeddings and its layers',
        '`targets` safetensors writes it as the ALBERT it is',
        model.embeddings.mapping?.kernel.variable,
      )
    }
    const blocks = model.layers.flat()
    const layers = blocks.flatMap((block, l) =>
      blockRoles(block).map(([role, from]) => this.#whole(`encoder/layer_${l}/${role}`, from)),
    )
    const there: ModelConfig = {
      ...config,
      family: 'hf',
      architecture: 'bert',
      mask_penalty: HF_MASK_PENALTY,
      embedding_size: H,
      num_hidden_layers: blocks.length,
      num_hidden_groups: 1,
      inner_group_num: 1,
    }
    return this.finish(there, [...this.#outer(), ...layers], 'bert')
  }

  /** transformers' ALBERT for models that differ from it: words multiplied out, a group a layer if layers differ. */
  toAlbert(): Translation {
    this.refusePreNorm()
    this.refuseHeads("transformers'")
    const { config, model } = this
    const { mapping, factor } = model.embeddings
    const { layers: depth, groups } = arrange(model)
    const layers = groups.flatMap((inner, g) =>
      inner.flatMap((block, j) =>
        blockRoles(block).map(([role, from]) => this.#whole(`encoder/group_${g}/inner_group_${j}/${role}`, from)),
      ),
    )
    const width = factor === null ? config.embedding_size : config.hidden_size
    const between =
      mapping === null
        ? this.identity(config.hidden_size)
        : [...parametersOf(mapping)].map((from): ComputedTensor => ({ slot: from.slot, from }))
    const there: ModelConfig = {
      ...config,
      family: 'hf',
      architecture: 'albert',
      mask_penalty: HF_MASK_PENALTY,
      embedding_size: width,
      num_hidden_layers: depth,
      num_hidden_groups: groups.length,
      inner_group_num: groups[0]?.length ?? 1,
    }
    return this.finish(there, [...this.#outer(), ...between, ...layers], 'albert')
  }
}

/**
 * Plans `model` as tensors of `target`: `tf` under the names of TensorFlow's code, `safetensors` under those of
 * transformers; with `form`, multiplied out and copied into that architecture.
 * @throws AlbertkitError `unsupported` if no weights compute the same there, with the reason
 */
export function translate(
  model: AlbertModel,
  source: TensorSource,
  target: CheckpointTarget,
  form: Architecture | null = null,
): Translation {
  const translator = new Translator(model, source)
  if (target === 'tf') return translator.toTensorFlow()
  if (form === null) return translator.toHuggingFace()
  return form === 'bert' ? translator.toBert() : translator.toAlbert()
}
