import { inScope, toRows, type NameTable, type Row } from './row.js'
import { TRANSFORMERS_TF_SKIPPED } from './skipped.js'

/**
 * Names of transformers' TensorFlow models, as `tf_model.h5` has them: PyTorch's tree with TensorFlow's words for the
 * leaves and kernels `[in, out]`. Heads are dense layers too, `[H, n]`; the forward pass takes `[n, H]`.
 */

const dense = (slot: string, name: string, dims: string): Row[] => [
  [`${slot}/kernel`, `${name}/kernel`, dims],
  [`${slot}/bias`, `${name}/bias`, dims.split(' ')[1] ?? ''],
]
const norm = (slot: string, name: string, dim: string): Row[] => [
  [`${slot}/gamma`, `${name}/gamma`, dim],
  [`${slot}/beta`, `${name}/beta`, dim],
]
const head = (slot: string, name: string, n: 'N' | '2'): Row[] => [
  [`${slot}/output_weights`, `${name}/kernel`, `${n} H`, 'T'],
  [`${slot}/output_bias`, `${name}/bias`, n],
]

const EMBEDDINGS: readonly Row[] = [
  ['embeddings/word_embeddings', 'embeddings/word_embeddings/weight', 'V E'],
  ['embeddings/position_embeddings', 'embeddings/position_embeddings/weight', 'P E'],
  ['embeddings/token_type_embeddings', 'embeddings/token_type_embeddings/weight', 'T E'],
  ...norm('embeddings/LayerNorm', 'embeddings/LayerNorm', 'E'),
]

/* transformers modeling_tf_albert.py TFAlbertLayer */
const ALBERT_LAYER: readonly Row[] = [
  ...dense('attention/query', 'attention/query', 'H H'),
  ...dense('attention/key', 'attention/key', 'H H'),
  ...dense('attention/value', 'attention/value', 'H H'),
  ...dense('attention/output', 'attention/dense', 'H H'),
  ...norm('attention/LayerNorm', 'attention/LayerNorm', 'H'),
  ...dense('ffn/intermediate', 'ffn', 'H I'),
  ...dense('ffn/output', 'ffn_output', 'I H'),
  ...norm('ffn/LayerNorm', 'full_layer_layer_norm', 'H'),
]

/* modeling_tf_bert.py TFBertLayer */
const BERT_LAYER: readonly Row[] = [
  ...dense('attention/query', 'attention/self/query', 'H H'),
  ...dense('attention/key', 'attention/self/key', 'H H'),
  ...dense('attention/value', 'attention/self/value', 'H H'),
  ...dense('attention/output', 'attention/output/dense', 'H H'),
  ...norm('attention/LayerNorm', 'attention/output/LayerNorm', 'H'),
  ...dense('ffn/intermediate', 'intermediate/dense', 'H I'),
  ...dense('ffn/output', 'output/dense', 'I H'),
  ...norm('ffn/LayerNorm', 'output/LayerNorm', 'H'),
]

const CLASSIFIERS: readonly Row[] = [...head('classifier', 'classifier', 'N'), ...head('qa', 'qa_outputs', '2')]

const ALBERT_HEADS: readonly Row[] = [
  ...dense('mlm/transform/dense', 'predictions/dense', 'H E'),
  ...norm('mlm/transform/LayerNorm', 'predictions/LayerNorm', 'E'),
  ['mlm/output_bias', 'predictions/bias', 'V'],
  ['mlm/decoder_bias', 'predictions/decoder/bias', 'V'],
  ['mlm/decoder', 'predictions/word_embeddings', 'V E'],
  ...head('sop', 'sop_classifier/classifier', '2'),
  ...CLASSIFIERS,
]

const BERT_HEADS: readonly Row[] = [
  ...dense('mlm/transform/dense', 'mlm___cls/predictions/transform/dense', 'H E'),
  ...norm('mlm/transform/LayerNorm', 'mlm___cls/predictions/transform/LayerNorm', 'E'),
  ['mlm/output_bias', 'mlm___cls/predictions/bias', 'V'],
  ['mlm/decoder', 'mlm___cls/word_embeddings', 'V E'],
  ...head('sop', 'nsp___cls/seq_relationship', '2'),
  ...CLASSIFIERS,
]

/**
 * Keras puts every variable below the layer that it saves and below its own full name, which begins with the model's:
 * `albert/tf_albert_model/albert/embeddings/…`, `classifier/tf_bert_for_…/classifier/kernel:0`. A head that uses the word
 * embeddings holds them again.
 */
const SPELLINGS: NameTable['spellings'] = [
  [/:0$/, ''],
  // A checkpoint of objects or a SavedModel has the full names alone.
  [/^tf_(?:albert|bert)_\w+\/(?=(?:predictions|sop_classifier|classifier|qa_outputs|mlm___cls|nsp___cls)\/)/, ''],
  [/^(predictions|mlm___cls)\/[^/]+\/(?:albert|bert)\/embeddings\/word_embeddings\/(?:weight|embeddings)$/, '$1/word_embeddings'],
  [/^([^/]+)\/(?:[^/]+\/)?\1\//, '$1/'],
  [/^(?:[^/]+\/)*?(?=(?:albert|bert)\/(?:embeddings|encoder|pooler)\/)/, ''],
  [/(embeddings\/\w+_embeddings)\/embeddings$/, '$1/weight'],
] // prettier-ignore

/** modeling_tf_albert.py and modeling_tf_bert.py: `(1 − mask) · −10000`, as Google's code. */
const MASK_PENALTY = -10000

export const TRANSFORMERS_TF_TABLES: readonly NameTable[] = [
  {
    family: 'hf',
    architecture: 'albert',
    title: 'Hugging Face ALBERT for TensorFlow',
    prefixes: ['albert/'],
    rows: [
      ...toRows(true, [
        ...EMBEDDINGS,
        ...dense('encoder/embedding_hidden_mapping_in', 'encoder/embedding_hidden_mapping_in', 'E H'),
        ...inScope(
          'encoder/group_{g}/inner_group_{j}/',
          'encoder/albert_layer_groups_._{g}/albert_layers_._{j}/',
          ALBERT_LAYER,
        ),
        ...dense('pooler/dense', 'pooler', 'H H'),
      ]),
      ...toRows(false, ALBERT_HEADS),
    ],
    sign: {
      pattern: /(^|\/)albert_layer_groups_\._\d+\/albert_layers_\._\d+\//,
      reason: 'layers are named albert_layer_groups_._<g>/albert_layers_._<j>',
    },
    spellings: SPELLINGS,
    maskPenalty: MASK_PENALTY,
    skipped: TRANSFORMERS_TF_SKIPPED,
  },
  {
    family: 'hf',
    architecture: 'bert',
    title: 'Hugging Face BERT for TensorFlow',
    prefixes: ['bert/'],
    rows: [
      ...toRows(true, [
        ...EMBEDDINGS,
        ...inScope('encoder/layer_{l}/', 'encoder/layer_._{l}/', BERT_LAYER),
        ...dense('pooler/dense', 'pooler/dense', 'H H'),
      ]),
      ...toRows(false, BERT_HEADS),
    ],
    sign: { pattern: /(^|\/)encoder\/layer_\._\d+\//, reason: 'layers are named layer_._<l>' },
    spellings: SPELLINGS,
    maskPenalty: MASK_PENALTY,
    skipped: TRANSFORMERS_TF_SKIPPED,
  },
]
