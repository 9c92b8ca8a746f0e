import { inScope, toRows, type NameRow, type NameTable, type Row } from './row.js'
import { TENSORFLOW_SKIPPED } from './skipped.js'

/**
 * Names of tf-models (tensorflow/models, official/nlp): ALBERT and BERT in Keras, as TF-Hub has them from version 3 on.
 * Query, key and value keep the heads as a separate axis.
 */

/* official/nlp/modeling/layers/transformer_encoder_block.py */
// prettier-ignore
const LAYER: readonly Row[] = [
  ['attention/query/kernel',    'self_attention/query/kernel',            'H A'],
  ['attention/query/bias',      'self_attention/query/bias',              'A'],
  ['attention/key/kernel',      'self_attention/key/kernel',              'H A'],
  ['attention/key/bias',        'self_attention/key/bias',                'A'],
  ['attention/value/kernel',    'self_attention/value/kernel',            'H A'],
  ['attention/value/bias',      'self_attention/value/bias',              'A'],
  ['attention/output/kernel',   'self_attention/attention_output/kernel', 'A H'],
  ['attention/output/bias',     'self_attention/attention_output/bias',   'H'],
  ['attention/LayerNorm/gamma', 'self_attention_layer_norm/gamma',        'H'],
  ['attention/LayerNorm/beta',  'self_attention_layer_norm/beta',         'H'],
  ['ffn/intermediate/kernel',   'intermediate/kernel',                    'H I'],
  ['ffn/intermediate/bias',     'intermediate/bias',                      'I'],
  ['ffn/output/kernel',         'output/kernel',                          'I H'],
  ['ffn/output/bias',           'output/bias',                            'H'],
  ['ffn/LayerNorm/gamma',       'output_layer_norm/gamma',                'H'],
  ['ffn/LayerNorm/beta',        'output_layer_norm/beta',                 'H'],
]

/* official/nlp/modeling/networks/albert_encoder.py, bert_encoder.py; layers/masked_lm.py */
// prettier-ignore
const AROUND: readonly Row[] = [
  ['embeddings/word_embeddings',       'word_embeddings/embeddings',     'V E'],
  ['embeddings/position_embeddings',   'position_embedding/embeddings',  'P E'],
  ['embeddings/token_type_embeddings', 'type_embeddings/embeddings',     'T E'],
  ['embeddings/LayerNorm/gamma',       'embeddings/layer_norm/gamma',    'E'],
  ['embeddings/LayerNorm/beta',        'embeddings/layer_norm/beta',     'E'],
  ['pooler/dense/kernel',              'pooler_transform/kernel',        'H H'],
  ['pooler/dense/bias',                'pooler_transform/bias',          'H'],
  ['mlm/transform/dense/kernel',       'cls/predictions/transform/dense/kernel',    'H E'],
  ['mlm/transform/dense/bias',         'cls/predictions/transform/dense/bias',      'E'],
  ['mlm/transform/LayerNorm/gamma',    'cls/predictions/transform/LayerNorm/gamma', 'E'],
  ['mlm/transform/LayerNorm/beta',     'cls/predictions/transform/LayerNorm/beta',  'E'],
  ['mlm/output_bias',                  'cls/predictions/output_bias/bias',          'V'],
]

/* layers/cls_head.py, which the configuration of the pretraining task names next_sentence: its own pooler, then logits. */
// prettier-ignore
const NEXT_SENTENCE: readonly Row[] = [
  ['sop/pooler/dense/kernel',    'next_sentence/pooler_dense/kernel',  'H H'],
  ['sop/pooler/dense/bias',      'next_sentence/pooler_dense/bias',    'H'],
  ['sop/output_weights',         'next_sentence/logits/kernel',        '2 H', 'T'],
  ['sop/output_bias',            'next_sentence/logits/bias',          '2'],
]

/*
 * models/bert_classifier.py, whose head is called sentence_prediction: one dense layer after the pooler of the encoder,
 * or after a separate pooler; its first edition was networks/classification.py. models/bert_span_labeler.py.
 */
// prettier-ignore
const CLASSIFIERS: readonly Row[] = [
  ['classifier/output_weights',      'sentence_prediction/logits/kernel',         'N H', 'T'],
  ['classifier/output_bias',         'sentence_prediction/logits/bias',           'N'],
  ['classifier/pooler/dense/kernel', 'sentence_prediction/pooler_dense/kernel',   'H H'],
  ['classifier/pooler/dense/bias',   'sentence_prediction/pooler_dense/bias',     'H'],
  ['qa/output_weights',              'span_labeling/predictions/transform/logits/kernel', '2 H', 'T'],
  ['qa/output_bias',                 'span_labeling/predictions/transform/logits/bias',   '2'],
]

/* models/bert_token_classifier.py */
const TOKENS: readonly Row[] = [
  ['classifier/output_weights', 'predictions/transform/logits/kernel', 'N H', 'T'],
  ['classifier/output_bias', 'predictions/transform/logits/bias', 'N'],
]

const HEADS: readonly NameRow[] = [
  ...toRows(true, [...NEXT_SENTENCE, ...CLASSIFIERS]),
  ...toRows(true, TOKENS).map((row): NameRow => ({ ...row, classifies: 'token' })),
]

const MAPPING: readonly Row[] = [
  ['encoder/embedding_hidden_mapping_in/kernel', 'embedding_projection/kernel', 'E H'],
  ['encoder/embedding_hidden_mapping_in/bias', 'embedding_projection/bias', 'H'],
]

/** A model in a model has its name before every variable; the first edition of the BERT encoder had other names. */
const SPELLINGS: NameTable['spellings'] = [
  [/:0$/, ''],
  [
    /^(?:[^/]+\/)*?(?=(?:word|type)_embeddings\/embeddings$|position_embedding\/embeddings$|embedding_postprocessor\/)/,
    '',
  ],
  [/^(?:[^/]+\/)*?(?=embeddings\/layer_norm\/|embedding_projection\/|pooler_transform\/|cls\/predictions\/)/, ''],
  [/^(?:[^/]+\/)*?(?=(?:next_sentence|sentence_prediction)\/(?:pooler_dense|logits)\/)/, ''],
  [/^(?:[^/]+\/)*?(?=span_labeling\/predictions\/)/, ''],
  [/^(?:[^/]+\/)*?sentence_prediction\/predictions\/transform\/logits\//, 'sentence_prediction/logits/'],
  [/^(?:[^/]+\/)*(predictions\/transform\/logits\/)\1/, '$1'],
  [/^(?:[^/]+\/)*?(?:transformer|encoder)\/(?=(?:layer_\d+\/)?(?:self_attention|intermediate|output))/, 'transformer/'],
  [/^embedding_postprocessor\/type_embeddings$/, 'type_embeddings/embeddings'],
  [/^embedding_postprocessor\/position_embeddings$/, 'position_embedding/embeddings'],
  [/^position_embedding\/position_embeddings$/, 'position_embedding/embeddings'],
  [/^embedding_postprocessor\/layer_norm\//, 'embeddings/layer_norm/'],
  [/\/self_attention_output\//, '/self_attention/attention_output/'],
  [/^(cls\/predictions\/output_bias)$/, '$1/bias'],
]

export const KERAS_TABLES: readonly NameTable[] = [
  {
    family: 'google',
    architecture: 'albert',
    title: 'tf-models ALBERT (Keras, TF-Hub)',
    prefixes: [''],
    rows: [
      ...toRows(true, [...AROUND, ...MAPPING, ...inScope('encoder/group_0/inner_group_0/', 'transformer/', LAYER)]),
      ...HEADS,
    ],
    sign: {
      pattern: /(^|\/)transformer\/self_attention\/query\/kernel(?::0)?$/,
      reason: 'the one layer is named transformer/self_attention',
    },
    spellings: SPELLINGS,
    skipped: TENSORFLOW_SKIPPED,
  },
  {
    family: 'bert',
    architecture: 'bert',
    title: 'tf-models BERT (Keras, TF-Hub)',
    prefixes: [''],
    rows: [...toRows(true, [...AROUND, ...inScope('encoder/layer_{l}/', 'transformer/layer_{l}/', LAYER)]), ...HEADS],
    sign: {
      pattern: /(^|\/)(transformer|encoder)\/layer_\d+\/self_attention\/query\/kernel(?::0)?$/,
      reason: 'layers are named layer_<l>/self_attention',
    },
    spellings: SPELLINGS,
    skipped: TENSORFLOW_SKIPPED,
  },
]
