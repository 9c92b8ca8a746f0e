import { KERAS_TABLES } from './keras.js'
import { inScope, toRows, type NameRow, type NameTable, type Row } from './row.js'
import { TENSORFLOW_SKIPPED } from './skipped.js'

/** Name tables of the TensorFlow families. */

/* The inner names of brightmart's and BERT's layers; {a}, {i}, {o} are the scopes of attention, intermediate, output. */
// prettier-ignore
const BERT_LAYER: readonly Row[] = [
  ['{A}/attention/query/kernel',       '{a}/self/query/kernel',       'H A'],
  ['{A}/attention/query/bias',         '{a}/self/query/bias',         'A'],
  ['{A}/attention/key/kernel',         '{a}/self/key/kernel',         'H A'],
  ['{A}/attention/key/bias',           '{a}/self/key/bias',           'A'],
  ['{A}/attention/value/kernel',       '{a}/self/value/kernel',       'H A'],
  ['{A}/attention/value/bias',         '{a}/self/value/bias',         'A'],
  ['{A}/attention/output/kernel',      '{a}/output/dense/kernel',     'A H'],
  ['{A}/attention/output/bias',        '{a}/output/dense/bias',       'H'],
  ['{A}/attention/LayerNorm/gamma',    '{a}/output/LayerNorm/gamma',  'H'],
  ['{A}/attention/LayerNorm/beta',     '{a}/output/LayerNorm/beta',   'H'],
  ['{F}/ffn/intermediate/kernel',      '{i}/dense/kernel',            'H I'],
  ['{F}/ffn/intermediate/bias',        '{i}/dense/bias',              'I'],
  ['{F}/ffn/output/kernel',            '{o}/dense/kernel',            'I H'],
  ['{F}/ffn/output/bias',              '{o}/dense/bias',              'H'],
  ['{F}/ffn/LayerNorm/gamma',          '{o}/LayerNorm/gamma',         'H'],
  ['{F}/ffn/LayerNorm/beta',           '{o}/LayerNorm/beta',          'H'],
]

interface LayerScopes {
  readonly A: string
  readonly F: string
  readonly a: string
  readonly i: string
  readonly o: string
}

/* How brightmart's sharing types name the scopes: all, attention only, FFN only, none (modeling.py). */
// prettier-ignore
const ZH_SCOPES: readonly LayerScopes[] = [
  { A: 'encoder/shared',    F: 'encoder/shared',    a: 'encoder/layer_shared/attention',     i: 'encoder/layer_shared/intermediate',     o: 'encoder/layer_shared/output' },
  { A: 'encoder/shared',    F: 'encoder/layer_{l}', a: 'encoder/layer_shared/attention',     i: 'encoder/layer_shared/intermediate_{l}', o: 'encoder/layer_shared/output_{l}' },
  { A: 'encoder/layer_{l}', F: 'encoder/shared',    a: 'encoder/layer_shared/attention_{l}', i: 'encoder/layer_shared/intermediate',     o: 'encoder/layer_shared/output' },
  { A: 'encoder/layer_{l}', F: 'encoder/layer_{l}', a: 'encoder/layer_{l}/attention',        i: 'encoder/layer_{l}/intermediate',        o: 'encoder/layer_{l}/output' },
]

/** Rows of `BERT_LAYER` for every way of sharing, each pair of slot and name once. */
function layerRows(scopes: readonly LayerScopes[]): Row[] {
  const rows = new Map<string, Row>()
  for (const scope of scopes) {
    const fill = (text: string): string => text.replace(/\{([AFaio])\}/, (_, key: keyof LayerScopes) => scope[key])
    for (const [slot, name, dims] of BERT_LAYER)
      rows.set(`${fill(slot)}\n${fill(name)}`, [fill(slot), fill(name), dims])
  }
  return [...rows.values()]
}

/* Embeddings of brightmart's code: the factor comes before the sum, so everything after it has width H. */
// prettier-ignore
const ZH_EMBEDDINGS: readonly Row[] = [
  ['embeddings/word_embeddings',       'embeddings/word_embeddings',       'V E'],
  ['embeddings/word_embeddings_2',     'embeddings/word_embeddings_2',     'E H'],
  ['embeddings/position_embeddings',   'embeddings/position_embeddings',   'P H'],
  ['embeddings/token_type_embeddings', 'embeddings/token_type_embeddings', 'T H'],
  ['embeddings/LayerNorm/gamma',       'embeddings/LayerNorm/gamma',       'H'],
  ['embeddings/LayerNorm/beta',        'embeddings/LayerNorm/beta',        'H'],
]

/* Embeddings of Google's ALBERT and of BERT, where E = H. */
const E_EMBEDDINGS: readonly Row[] = ZH_EMBEDDINGS.filter(([slot]) => !slot.endsWith('_2')).map(
  ([slot, name, dims]) => [slot, name, dims.replace('H', 'E')],
)

const TF_POOLER: readonly Row[] = [
  ['pooler/dense/kernel', 'pooler/dense/kernel', 'H H'],
  ['pooler/dense/bias', 'pooler/dense/bias', 'H'],
]

/* Heads of the TensorFlow families; {W} is the width of the MLM transform: E in Google's code, H elsewhere. */
// prettier-ignore
const tfHeads = (W: 'E' | 'H'): Row[] => [
  ['mlm/transform/dense/kernel',     'cls/predictions/transform/dense/kernel',    `H ${W}`],
  ['mlm/transform/dense/bias',       'cls/predictions/transform/dense/bias',      W],
  ['mlm/transform/LayerNorm/gamma',  'cls/predictions/transform/LayerNorm/gamma', W],
  ['mlm/transform/LayerNorm/beta',   'cls/predictions/transform/LayerNorm/beta',  W],
  ['mlm/output_bias',                'cls/predictions/output_bias',               'V'],
  ['sop/output_weights',             'cls/seq_relationship/output_weights',       '2 H'],
  ['sop/output_bias',                'cls/seq_relationship/output_bias',          '2'],
  ['qa/output_weights',              'cls/squad/output_weights',                  '2 H'],
  ['qa/output_bias',                 'cls/squad/output_bias',                     '2'],
  ['classifier/LayerNorm/gamma',     'loss/LayerNorm/gamma',                      'H'],
  ['classifier/LayerNorm/beta',      'loss/LayerNorm/beta',                       'H'],
  ['classifier/output_weights',      'output_weights',                            'N H'],
  ['classifier/output_bias',         'output_bias',                               'N'],
]

/* google-research/albert modeling.py `transformer_model`. */
// prettier-ignore
const GOOGLE_LAYER: readonly Row[] = [
  ['attention/query/kernel',    'attention_1/self/query/kernel',         'H A'],
  ['attention/query/bias',      'attention_1/self/query/bias',           'A'],
  ['attention/key/kernel',      'attention_1/self/key/kernel',           'H A'],
  ['attention/key/bias',        'attention_1/self/key/bias',             'A'],
  ['attention/value/kernel',    'attention_1/self/value/kernel',         'H A'],
  ['attention/value/bias',      'attention_1/self/value/bias',           'A'],
  ['attention/output/kernel',   'attention_1/output/dense/kernel',       'A H'],
  ['attention/output/bias',     'attention_1/output/dense/bias',         'H'],
  ['attention/LayerNorm/gamma', 'LayerNorm/gamma',                       'H'],
  ['attention/LayerNorm/beta',  'LayerNorm/beta',                        'H'],
  ['ffn/intermediate/kernel',   'ffn_1/intermediate/dense/kernel',       'H I'],
  ['ffn/intermediate/bias',     'ffn_1/intermediate/dense/bias',         'I'],
  ['ffn/output/kernel',         'ffn_1/intermediate/output/dense/kernel','I H'],
  ['ffn/output/bias',           'ffn_1/intermediate/output/dense/bias',  'H'],
  ['ffn/LayerNorm/gamma',       'LayerNorm_1/gamma',                     'H'],
  ['ffn/LayerNorm/beta',        'LayerNorm_1/beta',                      'H'],
]

const GOOGLE_MAPPING: readonly Row[] = [
  ['encoder/embedding_hidden_mapping_in/kernel', 'encoder/embedding_hidden_mapping_in/kernel', 'E H'],
  ['encoder/embedding_hidden_mapping_in/bias', 'encoder/embedding_hidden_mapping_in/bias', 'H'],
]

/**
 * A graph puts a scope around a model that it loaded: `module/` of a TF-Hub module, `model/` of an object, the name given
 * to import_graph_def or to `BertModel(scope=…)`. A user's head next to it has no such scope.
 */
const TF_SCOPED = { scoped: true, spellings: [] } as const

/* modeling_google_fast.py: google's names; the two kernels of the feed-forward layer are 3-D. */
const FAST_LAYER: readonly Row[] = GOOGLE_LAYER.map((row): Row =>
  /^ffn\/\w+\/kernel$/.test(row[0]) ? [row[0], row[1], row[2], 'G'] : row,
)

/* Its first edition: the groups come first, and are a separate axis of the biases. */
const FAST_FIRST_LAYER: readonly Row[] = GOOGLE_LAYER.map((row): Row => {
  const [slot, name, dims] = row
  if (!/^ffn\/(intermediate|output)\//.test(slot)) return row
  return [slot, name, `16 ${dims.split(' ').map((dim) => `${dim}/16`).join(' ')}`] // prettier-ignore
})
const FAST_BIAS = /(^|\/)ffn_1\/intermediate\/(output\/)?dense\/bias$/

/*
 * google-research/albert#241: a separate LayerNorm for every inner layer, named by Keras in the order of use, below a
 * scope that TensorFlow made unique (the second layer of group 0 is in group_0_1).
 */
const PER_LAYER_SCOPE = 'encoder/transformer/group_{g}{k}/layer_{l}/inner_group_{j}/layer_normalization_'
// prettier-ignore
const PER_LAYER_NORMS: readonly Row[] = [
  ['encoder/layer_{l}/inner_group_{j}/attention/LayerNorm/gamma', `${PER_LAYER_SCOPE}{odd}/gamma`,  'H'],
  ['encoder/layer_{l}/inner_group_{j}/attention/LayerNorm/beta',  `${PER_LAYER_SCOPE}{odd}/beta`,   'H'],
  ['encoder/layer_{l}/inner_group_{j}/ffn/LayerNorm/gamma',       `${PER_LAYER_SCOPE}{even}/gamma`, 'H'],
  ['encoder/layer_{l}/inner_group_{j}/ffn/LayerNorm/beta',        `${PER_LAYER_SCOPE}{even}/beta`,  'H'],
]

const isNorm = ([slot]: Row): boolean => slot.includes('LayerNorm/')
const keras = (row: Row, number: string): Row =>
  isNorm(row) ? [row[0], row[1].replace('LayerNorm', `layer_normalization${number}`), row[2]] : row

const googleLayers = (layer: readonly Row[]): Row[] =>
  inScope('encoder/group_{g}/inner_group_{j}/', 'encoder/transformer/group_{g}/inner_group_{j}/', layer)

const googleHeads = tfHeads('E').filter(([slot]) => !slot.startsWith('classifier/LayerNorm'))

/** All names of Google's model, with those of a layer. */
const googleRows = (layer: readonly Row[]): NameRow[] => [
  ...toRows(true, [...E_EMBEDDINGS, ...GOOGLE_MAPPING, ...googleLayers(layer), ...TF_POOLER]),
  ...toRows(false, googleHeads),
]

const GOOGLE: Omit<NameTable, 'title' | 'sign'> = {
  family: 'google',
  architecture: 'albert',
  prefixes: ['bert/'],
  rows: googleRows(GOOGLE_LAYER),
  ...TF_SCOPED,
  skipped: TENSORFLOW_SKIPPED,
}

export const TENSORFLOW_TABLES: readonly NameTable[] = [
  {
    family: 'zh',
    architecture: 'albert',
    title: 'brightmart albert_zh',
    prefixes: ['bert/'],
    rows: [...toRows(true, [...ZH_EMBEDDINGS, ...layerRows(ZH_SCOPES), ...TF_POOLER]), ...toRows(false, tfHeads('H'))],
    sign: {
      pattern: /(^|\/)embeddings\/word_embeddings_2$/,
      reason: 'factorised embeddings are named word_embeddings_2',
    },
    ...TF_SCOPED,
    skipped: TENSORFLOW_SKIPPED,
  },
  {
    ...GOOGLE,
    family: 'google_fast',
    title: 'brightmart albert_zh, google_fast',
    rows: googleRows(FAST_LAYER),
    sign: {
      pattern: /(^|\/)ffn_1\/intermediate\/(output\/)?dense\/kernel$/,
      rank: 3,
      reason: 'the kernels of the feed-forward layers are 3-D: sixteen groups',
      not: { pattern: FAST_BIAS, rank: 2 },
    },
  },
  {
    ...GOOGLE,
    family: 'google_fast',
    title: 'brightmart albert_zh, google_fast, groups first',
    rows: googleRows(FAST_FIRST_LAYER),
    sign: {
      pattern: FAST_BIAS,
      rank: 2,
      reason: 'the biases of the feed-forward layers are 2-D: sixteen groups',
    },
  },
  {
    ...GOOGLE,
    title: 'google-research ALBERT with a LayerNorm for every layer',
    rows: [
      ...toRows(true, [
        ...E_EMBEDDINGS.map((row) => keras(row, '')),
        ...GOOGLE_MAPPING,
        ...googleLayers(GOOGLE_LAYER.filter((row) => !isNorm(row))),
        ...PER_LAYER_NORMS,
        ...TF_POOLER,
      ]),
      ...toRows(
        false,
        googleHeads.map((row) => keras(row, '_{odd}')),
      ),
    ],
    sign: {
      pattern: /(^|\/)layer_\d+\/inner_group_\d+\/layer_normalization_\d+\/(gamma|beta)$/,
      reason: 'every layer has LayerNorms of its own, named layer_normalization_<n>',
    },
  },
  {
    ...GOOGLE,
    title: 'google-research ALBERT',
    sign: {
      pattern: /(^|\/)encoder\/transformer\/group_\d+\//,
      reason: 'layers are named transformer/group_<g>/inner_group_<j>',
    },
  },
  {
    family: 'bert',
    architecture: 'bert',
    title: 'google-research BERT',
    prefixes: ['bert/'],
    rows: [
      ...toRows(true, [...E_EMBEDDINGS, ...layerRows(ZH_SCOPES.slice(3)), ...TF_POOLER]),
      ...toRows(
        false,
        tfHeads('H').filter(([slot]) => !slot.startsWith('classifier/LayerNorm')),
      ),
    ],
    sign: {
      pattern: /(^|\/)encoder\/layer_\d+\//,
      reason: 'layers are named layer_<l> and there is no word_embeddings_2',
    },
    ...TF_SCOPED,
    skipped: TENSORFLOW_SKIPPED,
  },
  ...KERAS_TABLES,
]
