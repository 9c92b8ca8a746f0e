import { unsupported } from '../../base/errors.js'
import type { RawConfig } from '../config.js'
import { transformersClassOf, type ResolvedTask } from '../tasks.js'

/** Translation of keras-hub's configurations: `config.json` of a `.keras` file and of a preset, or its inner part. */

type Fields = Readonly<Record<string, unknown>>

/** keras-hub's words for the fields; all of them are arguments of AlbertBackbone and BertBackbone. */
export const WORDS: Readonly<Record<string, string>> = {
  vocab_size: 'vocabulary_size',
  embedding_size: 'embedding_dim',
  hidden_size: 'hidden_dim',
  num_hidden_layers: 'num_layers',
  num_attention_heads: 'num_heads',
  intermediate_size: 'intermediate_dim',
  max_position_embeddings: 'max_sequence_length',
  type_vocab_size: 'num_segments',
  num_hidden_groups: 'num_groups',
  inner_group_num: 'num_inner_repetitions',
  hidden_dropout_prob: 'dropout',
  attention_probs_dropout_prob: 'dropout',
}

/** Constants of albert_backbone.py and bert_backbone.py: `gelu_approximate`, and the epsilon of every LayerNorm. */
export const FIXED = { hidden_act: 'gelu_new', layer_norm_eps: 1e-12 }

const BACKBONE = /^(?:keras_(?:hub|nlp)>)?(Albert|Bert)Backbone$/
/** Models nest a few objects deep. */
const MAX_DEPTH = 8

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

interface KerasObject {
  readonly name: string
  readonly config: Fields
}

/** Reads a serialised Keras object: its class and its configuration; null for any other value. */
function asObject(value: unknown): KerasObject | null {
  if (!isFields(value) || typeof value.class_name !== 'string' || !isFields(value.config)) return null
  return { name: value.class_name, config: value.config }
}

/** The backbone in an object: itself, its `backbone`, or a layer of it. */
function findBackbone(value: unknown, depth = 0): KerasObject | null {
  const object = asObject(value)
  if (object === null || depth > MAX_DEPTH) return null
  if (object.name.endsWith('Backbone')) return object
  const { backbone, layers } = object.config
  for (const part of [backbone, ...(Array.isArray(layers) ? (layers as unknown[]) : [])]) {
    const found = findBackbone(part, depth + 1)
    if (found !== null) return found
  }
  return null
}

/** The fields of a backbone in our words. */
function translateFields(config: Fields, type: 'albert' | 'bert' | null): Fields {
  const said: Record<string, unknown> = {}
  for (const [ours, theirs] of Object.entries(WORDS)) if (theirs in config) said[ours] = config[theirs]
  return { ...(type === null ? {} : { model_type: type }), ...FIXED, ...said }
}

/** The name of a function that Keras wrote down: `softmax`, or an object that holds it. */
function functionName(value: unknown): string | null {
  if (typeof value === 'string') return value
  return isFields(value) && typeof value.config === 'string' ? value.config : null
}

/** The policy of element types that a layer was made with, if it is not float32. */
function policyOf({ dtype }: Fields): string | undefined {
  const name = typeof dtype === 'string' ? dtype : asObject(dtype)?.config.name
  return typeof name === 'string' && name !== 'float32' ? name : undefined
}

/** Task by the class name that keras-hub gives it. */
const KERAS_TASKS: readonly (readonly [RegExp, ResolvedTask])[] = [
  [/Classifier$/, 'classify'],
  [/MaskedLM$/, 'mlm'],
]

/** Translates the settings of a task model other than those of its backbone: the head and its activation. */
function translateTask(task: KerasObject, type: 'albert' | 'bert'): Fields & { readonly activation?: string } {
  const known = KERAS_TASKS.find(([pattern]) => pattern.test(task.name))?.[1]
  const activation = functionName(task.config.activation)
  return {
    ...(known === undefined ? {} : { architectures: [transformersClassOf(type, known)] }),
    ...(activation === null || activation === 'linear' ? {} : { activation }),
  }
}

/** True if a configuration is one of Keras, or the inner part of one. */
const isKeras = (fields: Fields): boolean =>
  asObject(fields) !== null ||
  (!('model_type' in fields) && Object.values(WORDS).some((word) => word !== 'dropout' && word in fields))

/**
 * Translates a configuration of keras-hub; returns any other unchanged.
 * @param readTask configuration of the head, which a preset has in a separate file (`task.json`); null if it has none
 * @throws AlbertkitError `unsupported` if it is of another model
 */
export function fromKerasConfig(raw: RawConfig, readTask: () => Fields | null = () => null): RawConfig {
  if (!isKeras(raw.fields)) return raw
  const object = asObject(raw.fields)
  if (object === null) {
    const type = 'embedding_dim' in raw.fields || 'num_groups' in raw.fields ? 'albert' : null
    return { ...raw, fields: translateFields(raw.fields, type), words: WORDS }
  }
  const backbone = findBackbone(raw.fields)
  const known = BACKBONE.exec(backbone?.name ?? '')?.[1]
  if (backbone === null || known === undefined) {
    throw unsupported(
      'the configuration is of a Keras ' +
        `${object.name}${backbone === null || backbone.config === object.config ? '' : ` with a ${backbone.name}`}`,
      {
        code: 'architecture-unsupported',
        file: raw.file,
        field: 'class_name',
        hint: 'albertkit reads AlbertBackbone and BertBackbone of keras-hub and the tasks on them',
      },
    )
  }
  const type = known === 'Bert' ? 'bert' : 'albert'
  const head = [object, asObject(readTask())].find((o) => o !== null && !o.name.endsWith('Backbone')) ?? null
  const policy = policyOf(backbone.config)
  const { activation, ...said } = head === null ? {} : translateTask(head, type)
  return {
    ...raw,
    fields: { ...translateFields(backbone.config, type), ...said },
    words: WORDS,
    ...(activation === undefined ? {} : { classifierActivation: activation }),
    ...(policy === undefined ? {} : { computesIn: policy }),
  }
}
