import { accountOf } from './account.js'
import type { ModelConfig } from '../config.js'
import { findPreset } from './presets.js'
import { slotsOf, type Sharing } from './slots.js'

/**
 * The parameter counts that Lan et al. 2019 ("ALBERT: A Lite BERT", arXiv 1909.11942) print, compared with those of
 * their configurations. If a printed number does not follow from them, the difference is shown.
 */

/** Ways to count an encoder that a paper may mean. */
export const VARIANTS = {
  without: 'without pooler',
  with: 'with pooler',
  wideWithout: 'positions at width H, without pooler',
  wideWith: 'positions at width H, with pooler',
} as const
export type Variant = keyof typeof VARIANTS

export interface PaperRow {
  readonly label: string
  /** Number of parameters as the paper prints it, in millions; several if it prints several. */
  readonly printed: readonly number[]
  /** Exact counts. */
  readonly computed: Readonly<Record<Variant, number>>
  /** For each printed number the ways of counting that give it to the printed digit. */
  readonly follows: readonly (readonly Variant[])[]
  /** Printed (the first number) minus the nearest count of the released form, in parameters. */
  readonly difference: number
  /** Possible explanation of a number that does not follow from the released form. */
  readonly explanation: string
}

export interface PaperTable {
  readonly id: string
  readonly title: string
  readonly rows: readonly PaperRow[]
}

/** The example of section 3.1: factorising the embeddings. */
export interface FactorisationExample {
  readonly V: number
  readonly E: number
  readonly H: number
  readonly unfactorised: number
  readonly factorised: number
  readonly ratio: number
}

/** Vocabulary of every model in the paper (section 4.1). */
const VOCABULARY = 30000

const configOf = (preset: string, changes: Partial<ModelConfig> = {}): ModelConfig => ({
  ...findPreset(preset)!.config,
  vocab_size: VOCABULARY,
  ...changes,
})

/** A hidden size with its feed-forward size 4H (section 4.1). */
const wide = (H: number): Partial<ModelConfig> => ({
  hidden_size: H,
  intermediate_size: 4 * H,
  num_attention_heads: H / 64,
})

/** Printed numbers are whole millions, of at most three digits that count: 1271.1 is printed 1270. */
function roundsTo(count: number, printed: number): boolean {
  const millions = Math.round(count / 1e6)
  const step = 10 ** Math.max(0, String(millions).length - 3)
  return Math.round(count / 1e6 / step) * step === printed
}

/**
 * Counts by every variant. "Positions at width H" is the order of BERT and of albert_zh: the projection comes right
 * after the lookup, so position and token type embeddings and their LayerNorm have the hidden size.
 */
function countAll(config: ModelConfig, sharing: Sharing): Record<Variant, number> {
  const isWide = config.embedding_size === config.hidden_size
  const widened: ModelConfig = isWide ? config : { ...config, family: 'zh', architecture: 'albert' }
  const count = (c: ModelConfig, pooler: boolean): number => accountOf(slotsOf(c, { sharing, pooler })).stored
  return {
    without: count(config, false),
    with: count(config, true),
    wideWithout: count(widened, false),
    wideWith: count(widened, true),
  }
}

const isReleased = (v: Variant): boolean => v === 'without' || v === 'with'

function explain(follows: readonly (readonly Variant[])[], note: string | undefined): string {
  if (note !== undefined) return note
  const [first = []] = follows
  if (first.some(isReleased)) return ''
  return first.length > 0
    ? 'follows if position and token type embeddings have width H, as in BERT and albert_zh'
    : 'unexplained'
}

function row(
  label: string,
  printed: number | readonly number[],
  config: ModelConfig,
  sharing: Sharing,
  note?: string,
): PaperRow {
  const numbers = typeof printed === 'number' ? [printed] : printed
  const computed = countAll(config, sharing)
  const variants = Object.keys(VARIANTS) as Variant[]
  const follows = numbers.map((n) => variants.filter((v) => roundsTo(computed[v], n)))
  const target = (numbers[0] ?? 0) * 1e6
  const released = [computed.without, computed.with]
  const nearest = released.reduce((a, b) => (Math.abs(target - b) < Math.abs(target - a) ? b : a))
  return {
    label,
    printed: numbers,
    computed,
    follows,
    difference: target - nearest,
    explanation: explain(follows, note),
  }
}

const XXLARGE_NOTE =
  'no way of counting gives it: pooler (16.8M) included, the heads (0.6M) and positions at width ' +
  'H (2.0M) are too small; the table of widths prints 225M for the same widths'

function sizes(): PaperTable {
  const bert = (changes: Partial<ModelConfig>): ModelConfig => configOf('bert-base', changes)
  return {
    id: 'sizes',
    title: 'Configurations (Tables 1 and 2)',
    rows: [
      row('BERT base', 108, bert({}), 'none'),
      row('BERT large', 334, configOf('bert-large'), 'none'),
      row('BERT xlarge', 1270, bert({ ...wide(2048), embedding_size: 2048, num_hidden_layers: 24 }), 'none'),
      row('ALBERT base', 12, configOf('albert-base'), 'all'),
      row('ALBERT large', 18, configOf('albert-large'), 'all'),
      row('ALBERT xlarge', [60, 59], configOf('albert-xlarge'), 'all'),
      row('ALBERT xxlarge', [233, 235], configOf('albert-xxlarge'), 'all', XXLARGE_NOTE),
    ],
  }
}

const base = (E: number): ModelConfig => configOf('albert-base', { embedding_size: E })

function embeddingSizes(): PaperTable {
  const printed: readonly [sharing: Sharing, words: string, numbers: readonly number[]][] = [
    ['none', 'not shared', [87, 89, 93, 108]],
    ['all', 'all shared', [10, 12, 16, 31]],
  ]
  return {
    id: 'embedding-size',
    title: 'Embedding size, ALBERT base (Table 3)',
    rows: printed.flatMap(([sharing, words, numbers]) =>
      [64, 128, 256, 768].map((E, i) => row(`E ${E}, ${words}`, numbers[i]!, base(E), sharing)),
    ),
  }
}

function sharingStrategies(): PaperTable {
  const printed: readonly [sharing: Sharing, words: string, at768: number, at128: number][] = [
    ['all', 'all shared', 31, 12],
    ['attention', 'attention shared', 83, 64],
    ['ffn', 'FFN shared', 57, 38],
    ['none', 'not shared', 108, 89],
  ]
  return {
    id: 'sharing',
    title: 'Sharing strategy, ALBERT base (Table 4)',
    rows: [768, 128].flatMap((E) =>
      printed.map(([sharing, words, at768, at128]) =>
        row(`E ${E}, ${words}`, E === 768 ? at768 : at128, base(E), sharing),
      ),
    ),
  }
}

const depths = (): PaperTable => ({
  id: 'depth',
  title: 'Depth, ALBERT large with other numbers of layers (Table 11)',
  rows: [1, 3, 6, 12, 24, 48].map((L) =>
    row(`${L} layer${L === 1 ? '' : 's'}`, 18, configOf('albert-large', { num_hidden_layers: L }), 'all'),
  ),
})

const widths = (): PaperTable => ({
  id: 'width',
  title: 'Width, 3-layer ALBERT large with other hidden sizes (Table 12)',
  rows: (
    [
      [1024, 18],
      [2048, 60],
      [4096, 225],
      [6144, 499],
    ] as const
  ).map(([H, printed]) =>
    row(`H ${H}`, printed, configOf('albert-large', { num_hidden_layers: 3, ...wide(H) }), 'all'),
  ),
})

/** The paper's tables of sizes with the computed values. */
export const paperTables = (): PaperTable[] => [sizes(), embeddingSizes(), sharingStrategies(), depths(), widths()]

/** `V·H` against `V·E + E·H` at xxlarge's sizes. */
export function factorisationExample(): FactorisationExample {
  const { vocab_size: V, embedding_size: E, hidden_size: H } = configOf('albert-xxlarge')
  const unfactorised = V * H
  const factorised = V * E + E * H
  return { V, E, H, unfactorised, factorised, ratio: unfactorised / factorised }
}

/** Findings from all tables together. */
export const PAPER_FINDINGS: readonly string[] = [
  'Rows that share nothing (all of BERT, and "not shared") follow without the pooler; rows that share follow with it.',
  'Heads for masked tokens and sentence order are in no printed number.',
  'ALBERT xlarge is 58.7M as released, which is the 59M; with position embeddings of the hidden ' +
    'size it is 59.7M, which is the 60M. The same width explains 225M and 499M.',
  'ALBERT xxlarge is 222.6M as released and 224.7M with positions at width H; ' +
    'the printed 233M and 235M follow from no way of counting.',
]
