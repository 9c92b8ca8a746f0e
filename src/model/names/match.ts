import type { ModelConfig } from '../config.js'
import { HUGGING_FACE_TABLES } from './huggingface.js'
import { KERAS_HUB_TABLES } from './keras-hub.js'
import type { NameRow, NameTable } from './row.js'
import { TENSORFLOW_TABLES } from './tensorflow.js'
import { TRANSFORMERS_TF_TABLES } from './transformers-tf.js'

export type { Dim, NameRow, NameTable, Sign } from './row.js'

/** All tables; where the signs of two are found and as many names fit, the first one counts. */
export const NAME_TABLES: readonly NameTable[] = [
  ...TENSORFLOW_TABLES,
  ...HUGGING_FACE_TABLES,
  ...TRANSFORMERS_TF_TABLES,
  ...KERAS_HUB_TABLES,
]

/**
 * Indices that a name or slot carries: `{l}`, `{g}`, `{j}`; of a LayerNorm that belongs to a layer alone also `k`, the
 * how-manieth layer of its group it is, and `n`, the number of the LayerNorm in the order of use.
 */
export type Indices = Readonly<Partial<Record<'l' | 'g' | 'j' | 'k' | 'n', number>>>

const NUMBER = '0|[1-9]\\d{0,5}'
/** What each placeholder of a name may be. */
const PLACEHOLDERS: Readonly<Record<string, string>> = {
  l: `(?<l>${NUMBER})`,
  g: `(?<g>${NUMBER})`,
  j: `(?<j>${NUMBER})`,
  k: '(?:_(?<k>[1-9]\\d{0,5}))?',
  th: '(?:_(?<l>[1-9]\\d{0,5}))?',
  odd: '(?<n>\\d{0,5}[13579])',
  even: '(?<n>\\d{0,5}[02468])',
}
const PLACEHOLDER = /\{(th|l|g|j|k|odd|even)\}/g

/** Writes a pattern out: `encoder/layer_{l}/x` with `{l: 3}` is `encoder/layer_3/x`. */
export const fillPattern = (pattern: string, indices: Indices): string =>
  pattern.replace(PLACEHOLDER, (_, key: string) => {
    if (key === 'k') return (indices.k ?? 0) === 0 ? '' : `_${String(indices.k)}`
    if (key === 'th') return (indices.l ?? 0) === 0 ? '' : `_${String(indices.l)}`
    return String(key === 'odd' || key === 'even' ? indices.n : indices[key as 'l'])
  })

export interface NameMatch {
  readonly row: NameRow
  readonly slot: string
  readonly indices: Indices
  readonly prefix: string
}

/** Where in a file a model's names begin. */
export interface Scope {
  /** What stands before the names of the body: `bert/`, `module/bert/`, `model.albert.`. */
  readonly body: string
  /** What may stand before those of the heads: the same without the family's own prefix, one scope less, or nothing. */
  readonly heads: readonly string[]
}

interface CompiledRow {
  readonly row: NameRow
  /** The whole name, with one of the family's prefixes. */
  readonly pattern: RegExp
  /** The name without any prefix. */
  readonly bare: RegExp
  /** The whole name with anything before it. */
  readonly anywhere: RegExp
}

const escapeRegExp = (text: string): string => text.replace(/[.*+?^$()|[\]\\]/g, '\\$&')

function compileRow(table: NameTable, row: NameRow): CompiledRow {
  const prefix = row.prefixed ? `(?<p>${table.prefixes.map(escapeRegExp).join('|')})` : ''
  const body = escapeRegExp(row.name).replace(PLACEHOLDER, (_, key: string) => PLACEHOLDERS[key] ?? '')
  const own = table.prefixes.filter((p) => p !== '').map(escapeRegExp)
  const anywhere = `^(?<s>(?:[^./]+[./])*?)(?<p>${[...own, ''].join('|')})${body}$`
  let [whole, rest]: (RegExp | null)[] = [null, null]
  return {
    row,
    pattern: new RegExp(`^${prefix}${body}$`),
    // Made where a file needs them: most need neither, and a table has many rows.
    get bare() {
      return (whole ??= new RegExp(`^${body}$`))
    },
    get anywhere() {
      return (rest ??= new RegExp(anywhere))
    },
  }
}

const compiled = new WeakMap<NameTable, readonly CompiledRow[]>()

/** The first of a kind has no number; where inner layers are counted through all groups, the number is one of both. */
function countThrough({ inner }: NameTable, indices: Partial<Record<keyof Indices, number>>): void {
  const number = (indices.l ??= 0)
  if (inner === undefined) return
  indices.g = Math.floor(number / inner)
  indices.j = number % inner
  delete indices.l
}

function compiledRows(table: NameTable): readonly CompiledRow[] {
  let rows = compiled.get(table)
  if (rows === undefined) compiled.set(table, (rows = table.rows.map((row) => compileRow(table, row))))
  return rows
}

const spell = (table: NameTable, variable: string): string =>
  table.spellings.reduce((text, [old, now]) => text.replace(old, now), variable)

function matchOf(table: NameTable, row: NameRow, found: RegExpExecArray, prefix: string): NameMatch {
  const indices: Record<string, number> = {}
  for (const key of ['l', 'g', 'j', 'k', 'n'] as const)
    if (found.groups?.[key] !== undefined) indices[key] = Number(found.groups[key])
  if (row.name.includes('{th}')) countThrough(table, indices)
  return { row, slot: fillPattern(row.slot, indices), indices, prefix: prefix + (found.groups?.p ?? '') }
}

/**
 * Finds the slot of a variable's name, in its present or an older spelling, in `table`, or null.
 * @param scope where the names begin; where the family's own names do if left out
 */
export function matchName(table: NameTable, variable: string, scope?: Scope): NameMatch | null {
  const name = spell(table, variable)
  const before = variable.endsWith(name) ? variable.slice(0, -name.length) : ''
  for (const { row, pattern, bare } of compiledRows(table)) {
    if (scope === undefined) {
      const found = pattern.exec(name)
      if (found !== null) return matchOf(table, row, found, before)
      continue
    }
    // A head of one's own may stand outside the scope of a model that was loaded.
    for (const start of row.prefixed ? [scope.body] : scope.heads) {
      const found = name.startsWith(start) ? bare.exec(name.slice(start.length)) : null
      if (found !== null) return matchOf(table, row, found, before + start)
    }
  }
  return null
}

/** Every place in a file where names of the table's body begin, in the order of the file. */
export function scopesOf(table: NameTable, variables: Iterable<string>): Scope[] {
  const scopes = new Map<string, Scope>()
  const rows = compiledRows(table).filter(({ row }) => row.prefixed)
  for (const variable of variables) {
    const name = spell(table, variable)
    for (const { anywhere } of rows) {
      const groups = anywhere.exec(name)?.groups
      if (groups === undefined) continue
      const { s = '', p = '' } = groups
      scopes.set(s + p, { body: s + p, heads: [s, s.replace(/[^./]+[./]$/, ''), ''] })
      break
    }
  }
  return [...scopes.values()]
}

/** Why `name` is known and left out, or null. */
export function skipReason(table: NameTable, name: string): string | null {
  return table.skipped.find(([pattern]) => pattern.test(name))?.[1] ?? null
}

/** A slot as its row has it, with placeholders, and the indices that were in it. */
export function slotPattern(slot: string): { readonly pattern: string; readonly indices: Indices } {
  const indices: Record<string, number> = {}
  const pattern = slot.replace(
    /(^|\/)(layer|group|inner_group)_(\d+)(?=\/)/g,
    (_, start: string, kind: string, digits: string) => {
      const key = kind === 'inner_group' ? 'j' : kind.slice(0, 1)
      indices[key] = Number(digits)
      return `${start}${kind}_{${key}}`
    },
  )
  return { pattern, indices }
}

/**
 * Group, place within the group and number of the LayerNorms that belong to one inner layer alone: what stands in
 * their names besides the layer. `layer` = `num_hidden_layers` asks for the one of the MLM head, the last.
 * @param place 1 for the attention's, 2 for the feed-forward's
 */
export function layerNormIndices(
  config: Pick<ModelConfig, 'inner_group_num'>,
  groupOf: (layer: number) => number,
  layer: number,
  inner: number,
  place: 1 | 2,
): Indices {
  let first = layer
  while (first > 0 && groupOf(first - 1) === groupOf(layer)) first--
  return {
    l: layer,
    j: inner,
    g: groupOf(layer),
    k: layer - first,
    n: 2 * (layer * config.inner_group_num + inner) + place,
  }
}
