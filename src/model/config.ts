import { shownJson } from '../base/json-text.js'
import { malformed, unsupported } from '../base/errors.js'
import * as z from '../vendor/zod.js'
import {
  ACTIVATIONS,
  FAST_ACTIVATIONS,
  FOREIGN_ACTIVATIONS,
  HF_ACTIVATIONS,
  TF_ACTIVATIONS,
  type Activation,
} from './activations.js'
import { DEFAULTS } from './defaults.js'
import { CLASSIFIER_TASKS, classifierKindOf, taskRow, type ClassifierKind, type ResolvedTask } from './tasks.js'
import { readProblemType, type ProblemType } from './problem-type.js'
import { refuseModelType } from './foreign-models.js'

export { ACTIVATIONS, type Activation } from './activations.js'

/**
 * Configurations of the families, normalised into one shape. Field names are the field's own
 * (`vocab_size`, `hidden_size` …), so that an error can name what the user wrote.
 */

/** Code base that the checkpoint was written by. */
export type Family = 'zh' | 'google' | 'google_fast' | 'bert' | 'hf'

/** Groups of a feed-forward kernel in modeling_google_fast.py. */
export const FFN_GROUPS = 16

const MAX_SIZE = 2 ** 31 - 1 // dimensions are int32 in TensorFlow as well
const MAX_LAYERS = 1024 // a shared model's weights cannot contradict a forged depth, so this does

const size = z.int().check(z.gte(1), z.lte(MAX_SIZE))
const depth = z.int().check(z.gte(1), z.lte(MAX_LAYERS))

/** The numbers of a configuration, under their own names. */
const NUMBERS = z.object({
  vocab_size: size,
  /** Equals `hidden_size` if the family does not factorise. */
  embedding_size: size,
  hidden_size: size,
  num_hidden_layers: depth,
  num_attention_heads: size,
  intermediate_size: size,
  max_position_embeddings: size,
  type_vocab_size: size,
  num_hidden_groups: depth,
  inner_group_num: depth,
  layer_norm_eps: z.number().check(z.gte(Number.MIN_VALUE), z.lte(1)),
})
export type ConfigNumbers = z.Infer<typeof NUMBERS>

/** Settings of the masked-token head. */
export interface MlmHeadSettings {
  readonly hidden_act: Activation
  readonly layer_norm_eps: number
}

export interface ModelConfig extends Readonly<ConfigNumbers> {
  readonly family: Family
  /** Architecture that the names belong to; only hf has both. */
  readonly architecture: 'albert' | 'bert'
  readonly hidden_act: Activation
  /** Pre-LN applies each LayerNorm before its sub-layer (brightmart's `ln_type`). */
  readonly norm_position: 'post' | 'pre'
  /** Number that a masked position adds to its scores: −10000 in TensorFlow's code, the least float32 in transformers. */
  readonly mask_penalty: number
  /** Settings of the masked-token head, if its activation or epsilon is not that of the layers (keras-hub). */
  readonly mlm_head?: MlmHeadSettings
  /** Class names by index; null if the configuration has none. */
  readonly id2label: Readonly<Record<string, string>> | null
  /** Kind of the classifier, if the configuration has it (transformers' `architectures`). */
  readonly classifier_kind?: ClassifierKind
  /** Problem that a classifier of texts solves, if the configuration has it: decides how its logits are read. */
  readonly problem_type?: ProblemType
  /** Path of the configuration file, for messages. */
  readonly file: string
}

/** A configuration as it was read: any JSON object. */
export interface RawConfig {
  readonly file: string
  readonly fields: Readonly<Record<string, unknown>>
  /** Names of the fields in the file, if they differ from these. */
  readonly words?: Readonly<Record<string, string>>
  /** Function that the code applies to the logits of a classifier, if it is given and not the identity. */
  readonly classifierActivation?: string
  /** Element type that the code computes in, if it is given and not float32. */
  readonly computesIn?: string
}

/** transformers marks its configurations with `model_type`; `gelu` is then the erf form, for TensorFlow weights too. */
const isHuggingFace = (raw: RawConfig, family: Family): boolean => family === 'hf' || 'model_type' in raw.fields

function readActivation(raw: RawConfig, family: Family, architecture: 'albert' | 'bert'): Activation {
  const huggingFace = isHuggingFace(raw, family)
  const table = huggingFace ? HF_ACTIVATIONS : family === 'google_fast' ? FAST_ACTIVATIONS : TF_ACTIVATIONS
  const fallback = huggingFace && architecture === 'albert' ? 'gelu_new' : 'gelu'
  const given: unknown = raw.fields.hidden_act === undefined ? fallback : raw.fields.hidden_act
  // TensorFlow's `get_activation` takes null and the empty name for no function at all.
  if (!huggingFace && (given === null || given === '')) return 'linear'
  // TensorFlow's `get_activation` lowers the case first.
  const name = typeof given === 'string' && !huggingFace ? given.toLowerCase() : given
  const found = typeof name === 'string' && Object.hasOwn(table, name) ? table[name] : undefined
  if (found !== undefined) return found
  const place = { file: raw.file, field: 'hidden_act', hint: `known are ${Object.keys(table).join(', ')}` }
  if (huggingFace && typeof name === 'string' && FOREIGN_ACTIVATIONS.includes(name))
    throw unsupported(`hidden_act is ${shownJson(given)}, a function that albertkit does not have`, {
      code: 'architecture-unsupported',
      ...place,
    })
  throw malformed(`hidden_act is ${shownJson(given)}, which no ${family} model uses`, {
    code: 'config-invalid',
    ...place,
  })
}

/** Fields of albertkit in a config.json, for settings that transformers has no field for. */
const OWN = z.object({
  family: z.optional(z.string()),
  norm_position: z.optional(z.oneOf(['post', 'pre'])),
  task: z.optional(z.string()),
  mlm_head: z.optional(
    z.object({ hidden_act: z.oneOf(ACTIVATIONS), layer_norm_eps: z.number().check(z.gte(Number.MIN_VALUE), z.lte(1)) }),
  ),
})

const readOwn = (raw: RawConfig): z.Infer<typeof OWN> | null => {
  const parsed = OWN.safeParse(raw.fields.albertkit)
  return parsed.success ? parsed.data : null
}

function readNormPosition(raw: RawConfig, family: Family): 'post' | 'pre' {
  if (family !== 'zh') return 'post'
  const given = raw.fields.ln_type ?? null
  const own = readOwn(raw)?.norm_position
  if (given === null && own !== undefined) return own
  if (given === null || given === 'postln') return 'post'
  if (given === 'preln') return 'pre'
  throw malformed(`ln_type is ${shownJson(given)}`, {
    code: 'config-invalid',
    file: raw.file,
    field: 'ln_type',
    hint: 'use "postln" or "preln"; albert_zh takes anything else as pre-LN without saying so',
  })
}

function readLabels(raw: RawConfig): Record<string, string> | null {
  const parsed = z.record(z.string(), z.string()).safeParse(raw.fields.id2label)
  if (!parsed.success || Object.keys(parsed.data).length === 0) return null
  const count = Object.keys(parsed.data).length
  const absent = Array.from({ length: count }, (_, i) => String(i)).find((i) => !Object.hasOwn(parsed.data, i))
  if (absent === undefined) return parsed.data
  throw malformed(`id2label has ${count} labels, but none for class ${absent}`, {
    code: 'config-invalid',
    file: raw.file,
    field: 'id2label',
    hint: 'classes are numbered from 0 without a gap',
  })
}

/** Kind of the classifier by transformers' `architectures` (`AlbertForTokenClassification`), or by albertkit's task. */
function readClassifierKind(raw: RawConfig): ClassifierKind | undefined {
  const given: unknown = raw.fields.architectures
  const names: unknown[] = [...(Array.isArray(given) ? (given as unknown[]) : []), readOwn(raw)?.task]
  const isOf = (task: ResolvedTask, name: unknown): boolean =>
    typeof name === 'string' && (name === task || name.endsWith(taskRow(task).transformersClass))
  return CLASSIFIER_TASKS.map((task) =>
    names.some((name) => isOf(task, name)) ? classifierKindOf(task) : undefined,
  ).find((kind) => kind !== undefined)
}

/** Refuses models of other code whose weights have the names of BERT or ALBERT but whose computation differs. */
function refuseForeignModels(raw: RawConfig, family: Family, architecture: 'albert' | 'bert'): void {
  const type = raw.fields.model_type ?? null
  const place = { file: raw.file, field: 'model_type' }
  const foreign = refuseModelType(type, raw.file, architecture)
  if (foreign !== null) throw foreign
  if (family === 'hf' && type !== null && type !== architecture) {
    throw malformed(`model_type is ${shownJson(type)}, but the weights have the names of ${architecture}`, {
      code: 'config-mismatch',
      ...place,
      hint:
        'give the configuration that belongs to these weights with `config`; ' +
        `model_type ${shownJson(architecture)} would fit`,
    })
  }
  // transformers' ALBERT ignores these fields.
  const decoder = (['is_decoder', 'add_cross_attention', 'is_encoder_decoder'] as const).find(
    (field) => raw.fields[field] === true,
  )
  if (architecture !== 'bert' || decoder === undefined) return
  throw unsupported(`${decoder} is true: the model is a decoder, whose tokens see only those before them`, {
    code: 'architecture-unsupported',
    file: raw.file,
    field: decoder,
    hint: 'albertkit runs encoders; if the model was trained as one, give a configuration that says so with `config`',
  })
}

/** Fields of other models' configurations, whose code computes something else with weights named like BERT's. */
const FOREIGN_FIELDS: readonly (readonly [field: string, model: string])[] = [
  ['use_relative_position', 'positions are relative, as in NEZHA'],
  ['relative_attention', 'positions are relative, as in DeBERTa'],
  ['use_task_id', 'task type embeddings are added to every token, as in ERNIE'],
  ['rotary_value', 'positions are rotary, as in RoFormer'],
  ['pre_seq_len', 'a trained prefix stands before every text, as in P-Tuning v2'],
]

/** True if a field is present and not switched off. */
const isOn = (value: unknown): boolean => value !== undefined && value !== null && value !== false

function refuseForeignFields(raw: RawConfig, family: Family): void {
  const feature = FOREIGN_FIELDS.find(([field]) => isOn(raw.fields[field]))
  if (feature !== undefined) {
    const [field, words] = feature
    throw unsupported(`${field} is ${shownJson(raw.fields[field])}: ${words}`, {
      code: 'architecture-unsupported',
      file: raw.file,
      field,
      hint: 'albertkit runs ALBERT and BERT as their papers have them',
    })
  }
  // A config.json that albertkit wrote has transformers' fields for every family.
  const foreign = readOwn(raw) === null && raw.fields.num_hidden_groups !== undefined
  if ((family === 'zh' || family === 'bert') && foreign) {
    throw malformed(
      `num_hidden_groups belongs to Google's ALBERT, but the weights are ${family === 'zh' ? "albert_zh's" : "BERT's"}`,
      {
        code: 'config-mismatch',
        file: raw.file,
        field: 'num_hidden_groups',
        hint: 'give the configuration that belongs to these weights with `config`',
      },
    )
  }
  const positions = raw.fields.position_embedding_type ?? 'absolute'
  if (positions !== 'absolute') {
    throw unsupported(`position_embedding_type is ${shownJson(positions)}`, {
      code: 'architecture-unsupported',
      file: raw.file,
      field: 'position_embedding_type',
      hint: 'albertkit runs absolute position embeddings',
    })
  }
  const pruned = raw.fields.pruned_heads
  if (typeof pruned === 'object' && pruned !== null && Object.keys(pruned).length > 0) {
    throw unsupported('the model has pruned attention heads', {
      code: 'architecture-unsupported',
      file: raw.file,
      field: 'pruned_heads',
    })
  }
}

/** Checks the numbers one by one, so that the message names the first field that is wrong. */
function readNumbers(raw: RawConfig, defaults: Partial<ConfigNumbers>): ConfigNumbers {
  const values = { ...defaults, ...raw.fields }
  const parsed = NUMBERS.safeParse(values)
  if (parsed.success) return parsed.data
  const field = String(parsed.error.issues[0]?.path[0])
  const given = (values as Record<string, unknown>)[field]
  const rule =
    field === 'layer_norm_eps'
      ? 'a number between 0 and 1'
      : 'a whole number from 1 to ' +
        String(field.startsWith('num_hidden') || field === 'inner_group_num' ? MAX_LAYERS : MAX_SIZE)
  throw malformed(given === undefined ? `${field} is missing` : `${field} is ${shownJson(given)}`, {
    code: 'config-invalid',
    file: raw.file,
    field,
    hint: `${field} must be ${rule}`,
  })
}

export interface ConfigOptions {
  /** Overrides the LayerNorm epsilon of the configuration. */
  readonly layerNormEpsilon?: number
  /** Number added to the scores of masked positions, if the code that wrote the file differs from its family. */
  readonly maskPenalty?: number | undefined
  /** Settings of the masked-token head, if they differ from those of the layers in the code that wrote the file. */
  readonly mlmHead?: MlmHeadSettings | undefined
}

/**
 * Reads `raw` as the configuration of `family`.
 * @throws AlbertkitError `malformed` naming the field, or `unsupported`.
 */
export function parseConfig(
  raw: RawConfig,
  family: Family,
  architecture: 'albert' | 'bert',
  options: ConfigOptions = {},
): ModelConfig {
  refuseForeignModels(raw, family, architecture)
  refuseForeignFields(raw, family)
  const hidden_act = readActivation(raw, family, architecture)
  const norm_position = readNormPosition(raw, family)
  const defaults: Partial<ConfigNumbers> = { ...DEFAULTS[family === 'hf' ? `hf-${architecture}` : family] }
  const factorised = architecture !== 'bert'
  // BERT and albert_zh have no groups, and BERT has no separate embedding size.
  const { num_hidden_groups: _g, inner_group_num: _i, ...ungrouped } = raw.fields
  const own = factorised && family !== 'zh' ? raw.fields : ungrouped
  const fields = factorised ? own : { ...own, embedding_size: raw.fields.hidden_size ?? defaults.hidden_size }
  // TensorFlow's code has no such field: its epsilon is always 1e-12.
  const epsilon = options.layerNormEpsilon ?? (isHuggingFace(raw, family) ? (fields.layer_norm_eps ?? 1e-12) : 1e-12)
  const numbers = readNumbers({ ...raw, fields: { ...fields, layer_norm_eps: epsilon } }, defaults)
  if (numbers.hidden_size % numbers.num_attention_heads !== 0) {
    throw malformed(
      `num_attention_heads is ${numbers.num_attention_heads}, which does not divide hidden_size ${numbers.hidden_size}`,
      {
        code: 'config-invalid',
        file: raw.file,
        field: 'num_attention_heads',
        hint: `${divisors(numbers.hidden_size)} would fit`,
      },
    )
  }
  if (family === 'google_fast') checkGroups(raw, numbers)
  const kind = readClassifierKind(raw)
  const mlmHead = readMlmHead(raw, options, hidden_act, numbers.layer_norm_eps)
  return {
    ...numbers,
    family,
    architecture,
    hidden_act,
    norm_position,
    mask_penalty: options.maskPenalty ?? (family === 'hf' ? -3.4028234663852886e38 : -10000),
    id2label: readLabels(raw),
    ...(kind === undefined ? {} : { classifier_kind: kind }),
    ...readProblemType(raw),
    ...(mlmHead === undefined ? {} : { mlm_head: mlmHead }),
    file: raw.file,
  }
}

/** Settings of the masked-token head, if they are not those of the layers. */
function readMlmHead(
  raw: RawConfig,
  options: ConfigOptions,
  act: Activation,
  epsilon: number,
): MlmHeadSettings | undefined {
  const said = readOwn(raw)?.mlm_head ?? options.mlmHead
  if (said === undefined) return undefined
  const settings = { ...said, layer_norm_eps: options.layerNormEpsilon ?? said.layer_norm_eps }
  return settings.hidden_act === act && settings.layer_norm_eps === epsilon ? undefined : settings
}

/** Numbers of heads that divide `size`: `1, 2, 3, 4, 6, 8, 12, 24, …`, at most ten of them. */
function divisors(size: number): string {
  const found: number[] = []
  for (let n = 1; n * n <= size; n++) if (size % n === 0) found.push(n, size / n)
  const sorted = [...new Set(found)].sort((a, b) => a - b)
  return sorted.length > 10 ? `${sorted.slice(0, 10).join(', ')} …` : sorted.join(', ')
}

/** The feed-forward layers of google_fast take their channels in sixteen groups. */
function checkGroups(raw: RawConfig, numbers: ConfigNumbers): void {
  for (const field of ['hidden_size', 'intermediate_size'] as const) {
    if (numbers[field] % FFN_GROUPS === 0) continue
    throw malformed(`${field} is ${numbers[field]}, which ${FFN_GROUPS} groups of a feed-forward layer do not divide`, {
      code: 'config-invalid',
      file: raw.file,
      field,
      hint: `${field} must be a multiple of ${FFN_GROUPS} for weights of google_fast`,
    })
  }
}

/**
 * Group that layer `l` takes its parameters from. Each family's own formula, in double precision as there:
 * Google's `int(l / L * G)` (modeling.py `transformer_model`) rounds down at e.g. G = L = 22, l = 15;
 * transformers computes `int(l / (L / G))` (modeling_albert.py).
 */
export function groupOfLayer(config: ModelConfig, layer: number): number {
  const { num_hidden_layers: L, num_hidden_groups: G } = config
  return config.family === 'hf' ? Math.trunc(layer / (L / G)) : Math.trunc((layer / L) * G)
}
