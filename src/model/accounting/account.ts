import { elementCount } from '../../formats/core/source.js'
import { polynomial, showFormula } from './formula.js'
import { partOf, type Part, type PartCounts } from './count.js'
import { HEAD_NAMES, headRow } from '../tasks.js'
import type { Slot } from './slots.js'

/** Parameters of a model by place: one line for each part that a user would name. */
export interface AccountLine {
  /** Stable name: `embeddings/word`, `attention/query`, `ffn/output`, `mlm` … */
  readonly key: string
  readonly part: Part
  /** Size of one copy in the configuration's letters, e.g. `H² + H`. */
  readonly formula: string
  /** Distinct copies: 1 if all layers share it. */
  readonly copies: number
  /** Parameters in storage: all copies. */
  readonly stored: number
  /** Parameters that the forward pass works with, each use counted. */
  readonly used: number
}

export interface Account {
  readonly lines: readonly AccountLine[]
  readonly parts: PartCounts
  readonly stored: number
  readonly used: number
}

/* The line that a slot belongs to: the first pattern that fits, filled with its group. */
const LINES: readonly (readonly [RegExp, string])[] = [
  [/^embeddings\/word_embeddings$/, 'embeddings/word'],
  [/^embeddings\/word_embeddings_2$|embedding_hidden_mapping_in\//, 'embeddings/projection'],
  [/^embeddings\/position_embeddings$/, 'embeddings/position'],
  [/^embeddings\/token_type_embeddings$/, 'embeddings/token type'],
  [/^embeddings\/LayerNorm\//, 'embeddings/LayerNorm'],
  [/\/(attention\/(?:query|key|value|output))\//, '$1'],
  [/\/(ffn\/(?:intermediate|output))\//, '$1'],
  [/^encoder\/.*(attention|ffn)\/LayerNorm\//, '$1/LayerNorm'],
  [/^([^/]+)\//, '$1'],
]

/** The line of the account that a slot belongs to. */
export function lineOf(slot: string): string {
  for (const [pattern, name] of LINES) {
    const match = pattern.exec(slot)
    if (match !== null) return name.replace('$1', match[1] ?? '')
  }
  return slot
}

/** Order of the lines: as the data flows. */
const FLOW = [
  'embeddings/word',
  'embeddings/projection',
  'embeddings/position',
  'embeddings/token type',
  'embeddings/LayerNorm',
  'attention/query',
  'attention/key',
  'attention/value',
  'attention/output',
  'attention/LayerNorm',
  'ffn/intermediate',
  'ffn/output',
  'ffn/LayerNorm',
  'pooler',
  ...new Set<string>(HEAD_NAMES.map((head) => headRow(head).part)),
]

const place = (key: string): number => (FLOW.includes(key) ? FLOW.indexOf(key) : FLOW.length)

function line(key: string, slots: readonly Slot[]): AccountLine {
  // A copy is one scope: everything before the line's own part of the name.
  const scopes = new Map<string, Slot[]>()
  for (const slot of slots) {
    const scope = /^encoder\/(?!embedding)(.+?)\/(?:attention|ffn)\//.exec(slot.slot)?.[1] ?? ''
    scopes.set(scope, [...(scopes.get(scope) ?? []), slot])
  }
  const [first = []] = scopes.values()
  const size = (s: Slot): number => elementCount(s.shape)
  return {
    key,
    part: partOf(slots[0]!.slot),
    formula: showFormula(polynomial(first)),
    copies: scopes.size,
    stored: slots.reduce((sum, s) => sum + size(s), 0),
    used: slots.reduce((sum, s) => sum + size(s) * s.uses, 0),
  }
}

/** Counts `slots` by line and by part. */
export function accountOf(slots: readonly Slot[]): Account {
  const groups = new Map<string, Slot[]>()
  for (const slot of slots) {
    const key = lineOf(slot.slot)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [slot])
    else group.push(slot)
  }
  const lines = [...groups].map(([key, group]) => line(key, group)).sort((a, b) => place(a.key) - place(b.key))
  const parts: Record<Part, number> = { embeddings: 0, attention: 0, ffn: 0, norms: 0, pooler: 0, heads: 0 }
  for (const { slot, shape } of slots) parts[partOf(slot)] += elementCount(shape)
  const sum = (of: (l: AccountLine) => number): number => lines.reduce((total, l) => total + of(l), 0)
  return { lines, parts, stored: sum((l) => l.stored), used: sum((l) => l.used) }
}
