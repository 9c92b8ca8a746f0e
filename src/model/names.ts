import type { Family } from './config.js'

/**
 * Name tables: semantic slot ↔ variable name, one aligned table a family, read in both directions.
 *
 * Placeholders: `{l}` layer, `{g}` group, `{j}` inner layer, all counted from 0. The third column has the
 * dimensions by symbol (V vocabulary, E embedding, H hidden, I intermediate, P positions, T token types, N labels)
 * as the forward pass means them; the fourth says how the stored bytes differ: `T` transposed, PyTorch's `weight`.
 */
export interface NameRow {
  readonly slot: string
  readonly name: string
  readonly dims: readonly Dim[]
  readonly transposed: boolean
  /** Body rows carry the family's prefix (`bert/`, `albert.`); head rows do not. */
  readonly prefixed: boolean
}
export type Dim = 'V' | 'E' | 'H' | 'I' | 'P' | 'T' | 'N' | '2'
type Row = readonly [slot: string, name: string, dims: string, layout?: 'T']

export interface NameTable {
  readonly family: Family
  readonly architecture: 'albert' | 'bert'
  /** What a person calls it. */
  readonly title: string
  /** Prefixes of body variables, the usual one first. */
  readonly prefixes: readonly string[]
  readonly rows: readonly NameRow[]
  /** A pattern that only this family's names match, and why that is so. */
  readonly sign: { readonly pattern: RegExp; readonly reason: string }
  /** Variables that are known and not weights of the model: `[pattern, reason]`. */
  readonly skipped: readonly (readonly [RegExp, string])[]
}

const toRows = (prefixed: boolean, rows: readonly Row[]): NameRow[] =>
  rows.map(([slot, name, dims, layout]) => ({
    slot,
    name,
    dims: (dims === '' ? [] : dims.split(' ')) as Dim[],
    transposed: layout === 'T',
    prefixed,
  }))

/** Rows of one layer under the scope of its slots and that of its names. */
const inScope = (slotScope: string, nameScope: string, rows: readonly Row[]): Row[] =>
  rows.map(([slot, name, ...rest]): Row => [slotScope + slot, nameScope + name, ...rest])

/* The inner names of brightmart's and BERT's layers; {a}, {i}, {o} are the scopes of attention, intermediate, output. */
// prettier-ignore
const BERT_LAYER: readonly Row[] = [
  ['{A}/attention/query/kernel',       '{a}/self/query/kernel',       'H H'],
  ['{A}/attention/query/bias',         '{a}/self/query/bias',         'H'],
  ['{A}/attention/key/kernel',         '{a}/self/key/kernel',         'H H'],
  ['{A}/attention/key/bias',           '{a}/self/key/bias',           'H'],
  ['{A}/attention/value/kernel',       '{a}/self/value/kernel',       'H H'],
  ['{A}/attention/value/bias',         '{a}/self/value/bias',         'H'],
  ['{A}/attention/output/kernel',      '{a}/output/dense/kernel',     'H H'],
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
  ['classifier/LayerNorm/gamma',     'loss/LayerNorm/gamma',                      'H'],
  ['classifier/LayerNorm/beta',      'loss/LayerNorm/beta',                       'H'],
  ['classifier/output_weights',      'output_weights',                            'N H'],
  ['classifier/output_bias',         'output_bias',                               'N'],
]

/* google-research/albert modeling.py `transformer_model`. */
// prettier-ignore
const GOOGLE_LAYER: readonly Row[] = [
  ['attention/query/kernel',    'attention_1/self/query/kernel',         'H H'],
  ['attention/query/bias',      'attention_1/self/query/bias',           'H'],
  ['attention/key/kernel',      'attention_1/self/key/kernel',           'H H'],
  ['attention/key/bias',        'attention_1/self/key/bias',             'H'],
  ['attention/value/kernel',    'attention_1/self/value/kernel',         'H H'],
  ['attention/value/bias',      'attention_1/self/value/bias',           'H'],
  ['attention/output/kernel',   'attention_1/output/dense/kernel',       'H H'],
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
  ['sop/output_weights',            'sop_classifier.classifier.weight', '2 H'],
  ['sop/output_bias',               'sop_classifier.classifier.bias',   '2'],
  ['classifier/output_weights',     'classifier.weight',                'N H'],
  ['classifier/output_bias',        'classifier.bias',                  'N'],
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
  ['sop/output_weights',            'cls.seq_relationship.weight',                '2 H'],
  ['sop/output_bias',               'cls.seq_relationship.bias',                  '2'],
  ['classifier/output_weights',     'classifier.weight',                          'N H'],
  ['classifier/output_bias',        'classifier.bias',                            'N'],
]

/** Slots of the optimizers that these checkpoints were trained with, and counters of training. */
const TF_SKIPPED: NameTable['skipped'] = [
  [/\/(adam|lamb)_[mv]$/, 'optimizer state'],
  [/\/(Adam|Adam_1|LAMB|LAMB_1|Momentum|Adagrad|RMSProp|RMSProp_1)$/, 'optimizer state'],
  [/^beta[12]_power$/, 'optimizer state'],
  [/\/ExponentialMovingAverage$/, 'moving average'],
  [/^(global_step|current_loss_scale|good_steps|bad_steps)$/, 'training counter'],
]
const HF_SKIPPED: NameTable['skipped'] = [
  [/(^|\.)embeddings\.(position_ids|token_type_ids)$/, 'buffer of indices'],
  [/(^|\.)predictions\.decoder\.(weight|bias)$/, 'tied copy'],
]

export const NAME_TABLES: readonly NameTable[] = [
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
    skipped: TF_SKIPPED,
  },
  {
    family: 'google',
    architecture: 'albert',
    title: 'google-research ALBERT',
    prefixes: ['bert/'],
    rows: [
      ...toRows(true, [
        ...E_EMBEDDINGS,
        ...GOOGLE_MAPPING,
        ...inScope(
          'encoder/group_{g}/inner_group_{j}/',
          'encoder/transformer/group_{g}/inner_group_{j}/',
          GOOGLE_LAYER,
        ),
        ...TF_POOLER,
      ]),
      ...toRows(
        false,
        tfHeads('E').filter(([slot]) => !slot.startsWith('classifier/LayerNorm')),
      ),
    ],
    sign: {
      pattern: /(^|\/)encoder\/transformer\/group_\d+\//,
      reason: 'layers are named transformer/group_<g>/inner_group_<j>',
    },
    skipped: TF_SKIPPED,
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
    skipped: TF_SKIPPED,
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
    skipped: HF_SKIPPED,
  },
  {
    family: 'hf',
    architecture: 'bert',
    title: 'Hugging Face BERT',
    prefixes: ['bert.', ''],
    rows: [...toRows(true, HF_BERT_BODY), ...toRows(false, HF_BERT_HEADS)],
    sign: { pattern: /(^|\.)encoder\.layer\.\d+\./, reason: 'layers are named encoder.layer.<l>' },
    skipped: HF_SKIPPED,
  },
]

/** Indices that a name or slot carries: `{l}`, `{g}`, `{j}`. */
export type Indices = Readonly<Partial<Record<'l' | 'g' | 'j', number>>>

/** Writes a pattern out: `encoder/layer_{l}/x` with `{l: 3}` is `encoder/layer_3/x`. */
export const fillPattern = (pattern: string, indices: Indices): string =>
  pattern.replace(/\{([lgj])\}/g, (_, key: 'l' | 'g' | 'j') => String(indices[key]))

export interface NameMatch {
  readonly row: NameRow
  readonly slot: string
  readonly indices: Indices
  readonly prefix: string
}

interface CompiledRow {
  readonly row: NameRow
  readonly pattern: RegExp
}

const escapeRegExp = (text: string): string => text.replace(/[.*+?^$()|[\]\\]/g, '\\$&')

function compileRow(table: NameTable, row: NameRow): CompiledRow {
  const prefix = row.prefixed ? `(?<p>${table.prefixes.map(escapeRegExp).join('|')})` : ''
  const body = escapeRegExp(row.name).replace(/\{([lgj])\}/g, '(?<$1>0|[1-9]\\d{0,5})')
  return { row, pattern: new RegExp(`^${prefix}${body}$`) }
}

const compiled = new Map<NameTable, readonly CompiledRow[]>()

/** Finds the slot of a variable's name in `table`, or null. */
export function matchName(table: NameTable, name: string): NameMatch | null {
  let rows = compiled.get(table)
  if (rows === undefined) compiled.set(table, (rows = table.rows.map((row) => compileRow(table, row))))
  for (const { row, pattern } of rows) {
    const groups = pattern.exec(name)?.groups
    if (groups === undefined && !pattern.test(name)) continue
    const indices: Record<string, number> = {}
    for (const key of ['l', 'g', 'j'] as const) if (groups?.[key] !== undefined) indices[key] = Number(groups[key])
    return { row, slot: fillPattern(row.slot, indices), indices, prefix: groups?.p ?? '' }
  }
  return null
}

/** Why `name` is known and left out, or null. */
export function skipReason(table: NameTable, name: string): string | null {
  return table.skipped.find(([pattern]) => pattern.test(name))?.[1] ?? null
}
