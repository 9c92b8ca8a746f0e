import { inScope, toRows, type NameTable, type Row } from './row.js'
import { TRANSFORMERS_SKIPPED } from './skipped.js'

/** Name tables of transformers. */

/* transformers modeling_albert.py */
// prettier-ignore
const HF_ALBERT_LAYER: readonly Row[] = [
  ['attention/query/kernel',    'attention.query.weight',       'H H', 'T'],
  ['attention/query/bias',      'attention.query.bias',         'H'],
  ['attention/key/kernel',      'attention.key.weight',         'H H', 'T'],
  ['attention/key/bias',        'attention.key.bias',           'H'],
  ['attention/value/kernel',    'attention.value.weight',       'H H', 'T'],
  ['attention/value/bias',      'attention.value.bias',         'H'],
  ['attention/output/kernel',   'attention.dense.weight',       'H H', 'T'],
  ['attention/output/bias',     'attention.dense.bias',         'H'],
  ['attention/LayerNorm/gamma', 'attention.LayerNorm.weight',   'H'],
  ['attention/LayerNorm/beta',  'attention.LayerNorm.bias',     'H'],
  ['ffn/intermediate/kernel',   'ffn.weight',                   'H I', 'T'],
  ['ffn/intermediate/bias',     'ffn.bias',                     'I'],
  ['ffn/output/kernel',         'ffn_output.weight',            'I H', 'T'],
  ['ffn/output/bias',           'ffn_output.bias',              'H'],
  ['ffn/LayerNorm/gamma',       'full_layer_layer_norm.weight', 'H'],
  ['ffn/LayerNorm/beta',        'full_layer_layer_norm.bias',   'H'],
]

// prettier-ignore
const HF_ALBERT_BODY: readonly Row[] = [
  ['embeddings/word_embeddings',                 'embeddings.word_embeddings.weight',           'V E'],
  ['embeddings/position_embeddings',             'embeddings.position_embeddings.weight',       'P E'],
  ['embeddings/token_type_embeddings',           'embeddings.token_type_embeddings.weight',     'T E'],
  ['embeddings/LayerNorm/gamma',                 'embeddings.LayerNorm.weight',                 'E'],
  ['embeddings/LayerNorm/beta',                  'embeddings.LayerNorm.bias',                   'E'],
  ['encoder/embedding_hidden_mapping_in/kernel', 'encoder.embedding_hidden_mapping_in.weight',  'E H', 'T'],
  ['encoder/embedding_hidden_mapping_in/bias',   'encoder.embedding_hidden_mapping_in.bias',    'H'],
  ...inScope('encoder/group_{g}/inner_group_{j}/', 'encoder.albert_layer_groups.{g}.albert_layers.{j}.', HF_ALBERT_LAYER),
  ['pooler/dense/kernel', 'pooler.weight', 'H H', 'T'],
  ['pooler/dense/bias',   'pooler.bias',   'H'],
]

// prettier-ignore
const HF_ALBERT_HEADS: readonly Row[] = [
  ['mlm/transform/dense/kernel',    'predictions.dense.weight',         'H E', 'T'],
  ['mlm/transform/dense/bias',      'predictions.dense.bias',           'E'],
  ['mlm/transform/LayerNorm/gamma', 'predictions.LayerNorm.weight',     'E'],
  ['mlm/transform/LayerNorm/beta',  'predictions.LayerNorm.bias',       'E'],
  ['mlm/output_bias',               'predictions.bias',                 'V'],
  ['mlm/decoder',                   'predictions.decoder.weight',       'V E'],
  ['mlm/decoder_bias',              'predictions.decoder.bias',         'V'],
  ['sop/output_weights',            'sop_classifier.classifier.weight', '2 H'],
  ['sop/output_bias',               'sop_classifier.classifier.bias',   '2'],
  ['classifier/output_weights',     'classifier.weight',                'N H'],
  ['classifier/output_bias',        'classifier.bias',                  'N'],
  ['qa/output_weights',             'qa_outputs.weight',                '2 H'],
  ['qa/output_bias',                'qa_outputs.bias',                  '2'],
]

/* transformers modeling_bert.py */
// prettier-ignore
const HF_BERT_LAYER: readonly Row[] = [
  ['attention/query/kernel',    'attention.self.query.weight',       'H H', 'T'],
  ['attention/query/bias',      'attention.self.query.bias',         'H'],
  ['attention/key/kernel',      'attention.self.key.weight',         'H H', 'T'],
  ['attention/key/bias',        'attention.self.key.bias',           'H'],
  ['attention/value/kernel',    'attention.self.value.weight',       'H H', 'T'],
  ['attention/value/bias',      'attention.self.value.bias',         'H'],
  ['attention/output/kernel',   'attention.output.dense.weight',     'H H', 'T'],
  ['attention/output/bias',     'attention.output.dense.bias',       'H'],
  ['attention/LayerNorm/gamma', 'attention.output.LayerNorm.weight', 'H'],
  ['attention/LayerNorm/beta',  'attention.output.LayerNorm.bias',   'H'],
  ['ffn/intermediate/kernel',   'intermediate.dense.weight',         'H I', 'T'],
  ['ffn/intermediate/bias',     'intermediate.dense.bias',           'I'],
  ['ffn/output/kernel',         'output.dense.weight',               'I H', 'T'],
  ['ffn/output/bias',           'output.dense.bias',                 'H'],
  ['ffn/LayerNorm/gamma',       'output.LayerNorm.weight',           'H'],
  ['ffn/LayerNorm/beta',        'output.LayerNorm.bias',             'H'],
]

// prettier-ignore
const HF_BERT_BODY: readonly Row[] = [
  ['embeddings/word_embeddings',       'embeddings.word_embeddings.weight',       'V E'],
  ['embeddings/position_embeddings',   'embeddings.position_embeddings.weight',   'P E'],
  ['embeddings/token_type_embeddings', 'embeddings.token_type_embeddings.weight', 'T E'],
  ['embeddings/LayerNorm/gamma',       'embeddings.LayerNorm.weight',             'E'],
  ['embeddings/LayerNorm/beta',        'embeddings.LayerNorm.bias',               'E'],
  ...inScope('encoder/layer_{l}/', 'encoder.layer.{l}.', HF_BERT_LAYER),
  ['pooler/dense/kernel', 'pooler.dense.weight', 'H H', 'T'],
  ['pooler/dense/bias',   'pooler.dense.bias',   'H'],
]

// prettier-ignore
const HF_BERT_HEADS: readonly Row[] = [
  ['mlm/transform/dense/kernel',    'cls.predictions.transform.dense.weight',     'H E', 'T'],
  ['mlm/transform/dense/bias',      'cls.predictions.transform.dense.bias',       'E'],
  ['mlm/transform/LayerNorm/gamma', 'cls.predictions.transform.LayerNorm.weight', 'E'],
  ['mlm/transform/LayerNorm/beta',  'cls.predictions.transform.LayerNorm.bias',   'E'],
  ['mlm/output_bias',               'cls.predictions.bias',                       'V'],
  ['mlm/decoder',                   'cls.predictions.decoder.weight',             'V E'],
  ['mlm/decoder_bias',              'cls.predictions.decoder.bias',               'V'],
  ['sop/output_weights',            'cls.seq_relationship.weight',                '2 H'],
  ['sop/output_bias',               'cls.seq_relationship.bias',                  '2'],
  ['classifier/output_weights',     'classifier.weight',                          'N H'],
  ['classifier/output_bias',        'classifier.bias',                            'N'],
  ['qa/output_weights',             'qa_outputs.weight',                          '2 H'],
  ['qa/output_bias',                'qa_outputs.bias',                            '2'],
]

/** Files from before 2019 keep the names of TensorFlow's LayerNorm (transformers renames them when it loads). */
const HF_SPELLINGS: NameTable['spellings'] = [
  [/(norm)\.gamma$/i, '$1.weight'],
  [/(norm)\.beta$/i, '$1.bias'],
]

/*
 * albert_pytorch's modeling_albert_bright.py: albert_zh under BERT's names, with one layer for all. Its masked-token
 * head differs from albert_zh's and is left out.
 */
// prettier-ignore
const BRIGHT_BODY: readonly Row[] = [
  ['embeddings/word_embeddings',       'embeddings.word_embeddings.weight',       'V E'],
  ['embeddings/word_embeddings_2',     'embeddings.word_embeddings_2.weight',     'E H', 'T'],
  ['embeddings/position_embeddings',   'embeddings.position_embeddings.weight',   'P H'],
  ['embeddings/token_type_embeddings', 'embeddings.token_type_embeddings.weight', 'T H'],
  ['embeddings/LayerNorm/gamma',       'embeddings.LayerNorm.weight',             'H'],
  ['embeddings/LayerNorm/beta',        'embeddings.LayerNorm.bias',               'H'],
  ...inScope('encoder/shared/', 'encoder.layer_shared.', HF_BERT_LAYER),
  ...inScope('encoder/layer_{l}/', 'encoder.layer.{l}.', HF_BERT_LAYER),
  ['pooler/dense/kernel', 'pooler.dense.weight', 'H H', 'T'],
  ['pooler/dense/bias',   'pooler.dense.bias',   'H'],
]

export const HUGGING_FACE_TABLES: readonly NameTable[] = [
  {
    family: 'zh',
    architecture: 'albert',
    title: 'albert_zh in PyTorch (albert_pytorch)',
    prefixes: ['bert.', 'albert.', ''],
    rows: [
      ...toRows(true, BRIGHT_BODY),
      ...toRows(
        false,
        HF_BERT_HEADS.filter(([slot]) => !slot.startsWith('mlm/')),
      ),
    ],
    sign: {
      pattern: /(^|\.)embeddings\.word_embeddings_2\.weight$/,
      reason: 'factorised embeddings are named word_embeddings_2.weight',
    },
    scoped: true,
    transformersFields: true,
    spellings: HF_SPELLINGS,
    skipped: TRANSFORMERS_SKIPPED,
  },
  {
    family: 'hf',
    architecture: 'albert',
    title: 'Hugging Face ALBERT',
    prefixes: ['albert.', ''],
    rows: [...toRows(true, HF_ALBERT_BODY), ...toRows(false, HF_ALBERT_HEADS)],
    sign: {
      pattern: /(^|\.)albert_layer_groups\.\d+\./,
      reason: 'layers are named albert_layer_groups.<g>.albert_layers.<j>',
    },
    scoped: true,
    spellings: HF_SPELLINGS,
    skipped: TRANSFORMERS_SKIPPED,
  },
  {
    family: 'hf',
    architecture: 'bert',
    title: 'Hugging Face BERT',
    prefixes: ['bert.', ''],
    rows: [...toRows(true, HF_BERT_BODY), ...toRows(false, HF_BERT_HEADS)],
    sign: { pattern: /(^|\.)encoder\.layer\.\d+\./, reason: 'layers are named encoder.layer.<l>' },
    scoped: true,
    spellings: HF_SPELLINGS,
    skipped: TRANSFORMERS_SKIPPED,
  },
]
