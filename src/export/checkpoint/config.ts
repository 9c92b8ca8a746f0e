import type { Activation, ModelConfig } from '../../model/config.js'
import { buildConfigJson } from '../manifest.js'

/** Fields that do not affect inference and have the same names in every family's configuration. */
const PASSED = [
  'attention_probs_dropout_prob',
  'hidden_dropout_prob',
  'classifier_dropout',
  'classifier_dropout_prob',
  'initializer_range',
  'pad_token_id',
  'bos_token_id',
  'eos_token_id',
  'problem_type',
] as const

/** Selects those fields from `fields`, if they are numbers or strings. */
export function passedFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const plain = PASSED.flatMap((key) => {
    const value = fields[key]
    return typeof value === 'number' || typeof value === 'string' ? [[key, value] as const] : []
  })
  return Object.fromEntries(plain)
}

const TF_NAMES: Readonly<Partial<Record<Activation, string>>> = {
  gelu_tanh: 'gelu',
  relu: 'relu',
  tanh: 'tanh',
  linear: 'linear',
}

/**
 * Builds a configuration for the original TensorFlow code. Settings that it cannot express (erf-GELU, another epsilon)
 * use transformers' field names instead, which that code refuses rather than computing something else.
 */
export function buildTfConfig(
  config: ModelConfig,
  passed: Readonly<Record<string, unknown>> = {},
  task?: string,
): string {
  const { family, architecture } = config
  const swish = family === 'google_fast' && config.hidden_act === 'swish'
  const hidden_act = swish ? 'swish' : TF_NAMES[config.hidden_act]
  if (hidden_act === undefined || config.layer_norm_eps !== 1e-12) {
    const text = buildConfigJson(config, null, { passed, ...(task === undefined ? {} : { task }) })
    return config.hidden_act === 'gelu_erf' ? text.replace('"hidden_act": "gelu"', '"hidden_act": "gelu_python"') : text
  }
  const dropout = architecture === 'bert' ? 0.1 : 0
  const body = {
    attention_probs_dropout_prob: passed.attention_probs_dropout_prob ?? dropout,
    hidden_act,
    hidden_dropout_prob: passed.hidden_dropout_prob ?? dropout,
    ...(architecture === 'bert' ? {} : { embedding_size: config.embedding_size }),
    hidden_size: config.hidden_size,
    initializer_range: passed.initializer_range ?? 0.02,
    intermediate_size: config.intermediate_size,
    ...(family === 'zh' ? { ln_type: config.norm_position === 'pre' ? 'preln' : 'postln' } : {}),
    max_position_embeddings: config.max_position_embeddings,
    num_attention_heads: config.num_attention_heads,
    ...(config.problem_type === undefined ? {} : { problem_type: config.problem_type }),
    num_hidden_layers: config.num_hidden_layers,
    ...(family === 'google' || family === 'google_fast'
      ? {
          num_hidden_groups: config.num_hidden_groups,
          net_structure_type: 0,
          gap_size: 0,
          num_memory_blocks: 0,
          inner_group_num: config.inner_group_num,
          down_scale_factor: 1,
        }
      : {}),
    type_vocab_size: config.type_vocab_size,
    vocab_size: config.vocab_size,
    // Task of the classifier, which the weights alone do not show; modeling.py ignores the field.
    ...(task === undefined || task === 'classify' ? {} : { albertkit: { task } }),
  }
  return `${JSON.stringify(body, null, 2)}\n`
}
