import { inScope, toRows, type NameRow, type NameTable, type Row } from './row.js'
import { KERAS_HUB_SKIPPED } from './skipped.js'

/**
 * Names of keras-hub (keras-nlp) in the files of Keras 3: `.weights.h5`, and what a `.keras` file holds. Keras calls a
 * layer
 * there by its class and a number within its model, and variables by their numbers: `layers/dense_1/vars/0`. Query, key
 * and value keep the heads as a separate axis.
 */

const dense = (slot: string, name: string, dims: string): Row[] => [
  [`${slot}/kernel`, `${name}/vars/0`, dims],
  [`${slot}/bias`, `${name}/vars/1`, dims.split(' ')[1] ?? ''],
]
const norm = (slot: string, name: string, dim: string): Row[] => [
  [`${slot}/gamma`, `${name}/vars/0`, dim],
  [`${slot}/beta`, `${name}/vars/1`, dim],
]

/* layers/modeling/transformer_encoder.py */
const LAYER: readonly Row[] = [
  ...dense('attention/query', '_self_attention_layer/query_dense', 'H A'),
  ...dense('attention/key', '_self_attention_layer/key_dense', 'H A'),
  ...dense('attention/value', '_self_attention_layer/value_dense', 'H A'),
  ...dense('attention/output', '_self_attention_layer/output_dense', 'A H'),
  ...norm('attention/LayerNorm', '_self_attention_layer_norm', 'H'),
  ...dense('ffn/intermediate', '_feedforward_intermediate_dense', 'H I'),
  ...dense('ffn/output', '_feedforward_output_dense', 'I H'),
  ...norm('ffn/LayerNorm', '_feedforward_layer_norm', 'H'),
]

const EMBEDDINGS: readonly Row[] = [
  ['embeddings/word_embeddings', 'reversible_embedding/vars/0', 'V E'],
  ['embeddings/position_embeddings', 'position_embedding/vars/0', 'P E'],
  ['embeddings/token_type_embeddings', 'embedding/vars/0', 'T E'],
  ...norm('embeddings/LayerNorm', 'layer_normalization', 'E'),
]

/* models/albert/albert_backbone.py, models/bert/bert_backbone.py */
const BODY = {
  albert: [
    ...EMBEDDINGS,
    ...dense('encoder/embedding_hidden_mapping_in', 'dense', 'E H'),
    ...inScope('encoder/group_{g}/inner_group_{j}/', 'transformer_encoder{th}/', LAYER),
    ...dense('pooler/dense', 'dense_1', 'H H'),
  ],
  bert: [
    ...EMBEDDINGS,
    ...inScope('encoder/layer_{l}/', 'transformer_encoder{th}/', LAYER),
    ...dense('pooler/dense', 'dense', 'H H'),
  ],
} as const satisfies Record<string, readonly Row[]>

/* masked_lm_head.py; the output_dense of albert_text_classifier.py and bert_text_classifier.py */
const HEADS: readonly NameRow[] = toRows(false, [
  ...dense('mlm/transform/dense', 'layers/masked_lm_head/_intermediate_dense', 'H E'),
  ...norm('mlm/transform/LayerNorm', 'layers/masked_lm_head/_intermediate_layer_norm', 'E'),
  ['mlm/output_bias', 'layers/masked_lm_head/vars/0', 'V'],
  ['classifier/output_weights', 'layers/dense/vars/0', 'N H', 'T'],
  ['classifier/output_bias', 'layers/dense/vars/1', 'N'],
])

/** keras-nlp wrote `layernorm` in one word at first; Keras 2 has no public names for the parts of attention. */
const SPELLINGS: NameTable['spellings'] = [
  [/_layernorm\//, '_layer_norm/'],
  [/(_self_attention_layer\/)_(query|key|value|output)_dense\//, '$1$2_dense/'],
]

/** Scope of the backbone's weights, if the folder of a preset has them in a separate file. */
const PRESET = 'backbone/layers/'

type Architecture = keyof typeof BODY
const CLASSES = { albert: 'ALBERT', bert: 'BERT' } as const

/** Columns that all tables of keras-hub share: constants of its code that no configuration sets. */
const common = (architecture: Architecture): Omit<NameTable, 'prefixes' | 'rows' | 'sign' | 'spellings'> => ({
  family: 'hf',
  architecture,
  title: `keras-hub ${CLASSES[architecture]}`,
  skipped: KERAS_HUB_SKIPPED,
  // masked_lm_head.py has another epsilon; bert_masked_lm.py has gelu's erf form, albert_masked_lm.py the tanh form.
  mlmHead: { hidden_act: architecture === 'bert' ? 'gelu_erf' : 'gelu_tanh', layer_norm_eps: 1e-5 },
  ...(architecture === 'albert' ? { inner: 1 } : {}),
  configInferable: true,
})

/** A backbone within a model that has a head: a layer of it, or the other file of a preset. */
const withHead = (architecture: Architecture, sign: RegExp): NameTable => {
  const scope = `layers/${architecture}_backbone/layers/`
  return {
    ...common(architecture),
    prefixes: [scope, PRESET],
    rows: [...toRows(true, BODY[architecture]), ...HEADS],
    sign: { pattern: sign, reason: `the layers are those of keras-hub's backbone of ${CLASSES[architecture]}` },
    spellings: [[new RegExp(`^(?:.*/)?(?=${scope})`), ''], ...SPELLINGS],
  }
}

const alone = (architecture: Architecture, pattern: RegExp, reason: string): NameTable => ({
  ...common(architecture),
  prefixes: ['layers/'],
  rows: toRows(true, BODY[architecture]),
  sign: { pattern, reason },
  spellings: SPELLINGS,
})

export const KERAS_HUB_TABLES: readonly NameTable[] = [
  withHead(
    'albert',
    /(^|\/)(layers\/albert_backbone\/layers\/transformer_encoder|backbone\/layers\/dense_1\/vars\/0$)/,
  ),
  withHead('bert', /(^|\/)(layers\/bert_backbone|backbone)\/layers\/transformer_encoder/),
  alone('albert', /^layers\/dense_1\/vars\/0$/, 'transformer_encoder layers stand between two dense layers'),
  alone('bert', /^layers\/transformer_encoder\//, 'layers are named transformer_encoder_<l>'),
]
