import type { HeadSelection } from '../../src/model/tasks.js'
import type { ModelInputs, Subject } from '../../src/model/reference/run.js'
import { tinyModel, type MemorySource, type TinyOptions } from './tiny-model.js'

/** Small models of every kind, whose outputs PyTorch has computed (forward-goldens.json, made by test/oracle). */

const SIZES = { layers: 2, hidden: 8, vocabulary: 11 } as const

const KINDS = {
  'albert of transformers': { ...SIZES, family: 'hf', inner: 2, layout: 'transposed', heads: ['pooler', 'mlm', 'sop'] },
  'albert with other settings': {
    ...SIZES,
    family: 'hf',
    activation: 'gelu_erf',
    layout: 'transposed',
    heads: ['pooler', 'mlm', 'classifier'],
    untied: true,
  },
  "Google's albert": { ...SIZES, family: 'google', inner: 2, heads: ['pooler', 'mlm', 'sop', 'classifier'] },
  bert: { ...SIZES, family: 'bert', shared: false, heads: ['pooler', 'mlm', 'sop'] },
  'bert that labels tokens': { ...SIZES, family: 'bert', activation: 'relu', heads: ['classifier'], kind: 'token' },
  'bert that chooses': {
    ...SIZES,
    family: 'bert',
    activation: 'swish',
    heads: ['pooler', 'classifier'],
    kind: 'choice',
  },
  'bert that answers': { ...SIZES, family: 'bert', activation: 'tanh', shared: false, heads: ['qa'] },
  albert_zh: { ...SIZES, family: 'zh', shared: false, heads: ['pooler', 'mlm', 'sop'] },
  'albert_zh, pre-LN': { ...SIZES, family: 'zh', norm: 'pre', activation: 'linear', heads: ['pooler', 'classifier'] },
} as const satisfies Readonly<Record<string, TinyOptions>>

export type ForwardCase = keyof typeof KINDS
export const FORWARD_CASES = Object.keys(KINDS) as readonly ForwardCase[]

/** Two rows of four tokens, the second one padded, with two kinds of token types; the rows are choices if need be. */
export function forwardCase(
  name: ForwardCase,
): Subject & Readonly<{ source: MemorySource; inputs: ModelInputs; heads: HeadSelection }> {
  const subject = tinyModel(KINDS[name])
  const inputs: ModelInputs = {
    batch: 2,
    ...(subject.model.classifier?.kind === 'choice' ? { choices: 2 } : {}),
    sequence: 4,
    input_ids: Int32Array.of(2, 7, 10, 3, 2, 5, 0, 0),
    attention_mask: Int32Array.of(1, 1, 1, 1, 1, 1, 0, 0),
    token_type_ids: Int32Array.of(0, 0, 1, 1, 0, 1, 0, 0),
  }
  return { ...subject, inputs, heads: { mlm: true, sop: true, classifier: true, qa: true } }
}
