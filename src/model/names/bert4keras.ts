import { inScope, toRows, type NameTable, type Row } from './row.js'
import { TENSORFLOW_SKIPPED } from './skipped.js'

/**
 * Names of bert4keras (bojone/bert4keras, models.py and layers.py): what `model.save_weights('best_model.weights')`
 * writes, an HDF5 file. Layers have names, the Dense layers within them numbers, in the order in which they are made.
 */

const norm = (slot: string, name: string, dim: string): Row[] => [
  [`${slot}/gamma`, `${name}/gamma`, dim],
  [`${slot}/beta`, `${name}/beta`, dim],
]
const dense = (slot: string, name: string, dims: string): Row[] => [
  [`${slot}/kernel`, `${name}/kernel`, dims],
  [`${slot}/bias`, `${name}/bias`, dims.split(' ')[1] ?? ''],
]

/* MultiHeadAttention makes q_dense, k_dense, v_dense, o_dense; FeedForward i_dense, o_dense. */
const LAYER: readonly Row[] = [
  ...dense('attention/query', 'MultiHeadSelfAttention/dense', 'H H'),
  ...dense('attention/key', 'MultiHeadSelfAttention/dense_1', 'H H'),
  ...dense('attention/value', 'MultiHeadSelfAttention/dense_2', 'H H'),
  ...dense('attention/output', 'MultiHeadSelfAttention/dense_3', 'H H'),
  ...norm('attention/LayerNorm', 'MultiHeadSelfAttention-Norm', 'H'),
  ...dense('ffn/intermediate', 'FeedForward/dense', 'H I'),
  ...dense('ffn/output', 'FeedForward/dense_1', 'I H'),
  ...norm('ffn/LayerNorm', 'FeedForward-Norm', 'H'),
]

const around = (E: 'E' | 'H'): Row[] => [
  ['embeddings/word_embeddings', 'Embedding-Token/embeddings', `V ${E}`],
  ['embeddings/token_type_embeddings', 'Embedding-Segment/embeddings', `T ${E}`],
  ['embeddings/position_embeddings', 'Embedding-Position/embeddings', `P ${E}`],
  ...norm('embeddings/LayerNorm', 'Embedding-Norm', E),
  ...dense('pooler/dense', 'Pooler-Dense', 'H H'),
  ...dense('mlm/transform/dense', 'MLM-Dense', `H ${E}`),
  ...norm('mlm/transform/LayerNorm', 'MLM-Norm', E),
  ['mlm/output_bias', 'MLM-Bias/beta', 'V'],
  ['sop/output_weights', 'NSP-Proba/kernel', '2 H', 'T'],
  ['sop/output_bias', 'NSP-Proba/bias', '2'],
]

const common = {
  prefixes: [''],
  // Keras has the name of the layer twice, once for its group; older versions call the bias of the head by its name.
  spellings: [
    [/:0$/, ''],
    [/^([^/]+)\/\1(?:_\d+)?\//, '$1/'],
    [/^MLM-Bias\/bias$/, 'MLM-Bias/beta'],
  ],
  skipped: TENSORFLOW_SKIPPED,
  // backend.py: `gelu` is gelu_erf; models.py: the epsilon is 1e-12 for every configuration.
  transformersFields: true,
  layerNormEpsilon: 1e-12,
  note:
    'bert4keras computes gelu with erf, unless the training called set_gelu("tanh"): then hidden_act "gelu_new" ' +
    'in the configuration is right',
} as const satisfies Partial<NameTable>

export const BERT4KERAS_TABLES: readonly NameTable[] = [
  {
    ...common,
    family: 'bert',
    architecture: 'bert',
    title: 'bert4keras BERT',
    rows: toRows(true, [...around('H'), ...inScope('encoder/layer_{l}/', 'Transformer-{l}-', LAYER)]),
    sign: {
      pattern: /^Transformer-\d+-MultiHeadSelfAttention\//,
      reason: 'layers are named Transformer-<l>-MultiHeadSelfAttention',
      not: { pattern: /^Embedding-Mapping\// },
    },
  },
  {
    ...common,
    family: 'google',
    architecture: 'albert',
    title: 'bert4keras ALBERT',
    rows: toRows(true, [
      ...around('E'),
      ...dense('encoder/embedding_hidden_mapping_in', 'Embedding-Mapping', 'E H'),
      ...inScope('encoder/group_0/inner_group_0/', 'Transformer-', LAYER),
    ]),
    sign: {
      pattern: /^Transformer-MultiHeadSelfAttention\//,
      reason: 'the one layer is named Transformer-MultiHeadSelfAttention',
    },
  },
]
