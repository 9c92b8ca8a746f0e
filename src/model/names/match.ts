import { expandPlaceholders, fillPattern, type Indices } from './placeholders.js'
import type { NameRow, NameTable } from './row.js'

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
  const body = expandPlaceholders(escapeRegExp(row.name))
  const own = table.prefixes.filter((p) => p !== '').map(escapeRegExp)
  const anywhere = `^(?<s>(?:[^./]+[./])*?)(?<p>${[...own, ''].join('|')})${body}$`
  let [whole, rest]: (RegExp | null)[] = [null, null]
  return {
    row,
    pattern: new RegExp(`^${prefix}${body}$`),
    // Made if a file needs them: most need neither, and a table has many rows.
    get bare() {
      return (whole ??= new RegExp(`^${body}$`))
    },
    get anywhere() {
      return (rest ??= new RegExp(anywhere))
    },
  }
}

const compiled = new WeakMap<NameTable, readonly CompiledRow[]>()

/** The first of a kind has no number; if inner layers are counted through all groups, the number is one of both. */
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
 * @param scope in which the names begin; the family's own if left out
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
    // A user's own head may stand outside the scope of a model that was loaded.
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
