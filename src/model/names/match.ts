import { expandPlaceholders, fillPattern, type Indices } from './placeholders.js'
import type { NameRow, NameTable } from './row.js'

export interface NameMatch {
  readonly row: NameRow
  readonly slot: string
  readonly indices: Indices
  readonly prefix: string
}

/** Prefixes of a model's names in a file. */
export interface Scope {
  /** Prefix of the names of the body: `bert/`, `module/bert/`, `model.albert.`. */
  readonly body: string
  /** Possible prefixes of the heads: the same without the family's prefix, one scope less, or nothing. */
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

/** Rows of a table, indexed by the part of a name after the last separator. */
interface CompiledTable {
  readonly rows: readonly CompiledRow[]
  /** Rows that names with this last part may fit, in the order of the table. */
  readonly byLast: ReadonlyMap<string, readonly CompiledRow[]>
  /** Rows whose last part is not known before an index is filled in. */
  readonly others: readonly CompiledRow[]
}

const lastPart = (name: string): string => name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('.')) + 1)

/** A file may have 100,000 names, and there are some 400 rows: a name is compared with those that end as it does. */
function compileTable(table: NameTable): CompiledTable {
  const rows = table.rows.map((row) => compileRow(table, row))
  const lastOf = ({ row }: CompiledRow): string | null => {
    const last = lastPart(row.name)
    return last.includes('{') ? null : last
  }
  const byLast = new Map<string, readonly CompiledRow[]>()
  for (const own of new Set(rows.map(lastOf)))
    if (own !== null)
      byLast.set(
        own,
        rows.filter((row) => lastOf(row) === own || lastOf(row) === null),
      )
  return { rows, byLast, others: rows.filter((row) => lastOf(row) === null) }
}

const compiled = new WeakMap<NameTable, CompiledTable>()

/** Fills in indices: the first layer has no number; if inner layers are counted through all groups, it gives both. */
function countThrough({ inner }: NameTable, indices: Partial<Record<keyof Indices, number>>): void {
  const number = (indices.l ??= 0)
  if (inner === undefined) return
  indices.g = Math.floor(number / inner)
  indices.j = number % inner
  delete indices.l
}

function compiledTable(table: NameTable): CompiledTable {
  let made = compiled.get(table)
  if (made === undefined) compiled.set(table, (made = compileTable(table)))
  return made
}

/** Rows of a table that `name` may fit. */
function rowsFor(table: NameTable, name: string): readonly CompiledRow[] {
  const { byLast, others } = compiledTable(table)
  return byLast.get(lastPart(name)) ?? others
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
  for (const compiledRow of rowsFor(table, name)) {
    const { row, pattern } = compiledRow
    if (scope === undefined) {
      const found = pattern.exec(name)
      if (found !== null) return matchOf(table, row, found, before)
      continue
    }
    // A user's head may be outside the scope of a model that was loaded.
    for (const start of row.prefixed ? [scope.body] : scope.heads) {
      const found = name.startsWith(start) ? compiledRow.bare.exec(name.slice(start.length)) : null
      if (found !== null) return matchOf(table, row, found, before + start)
    }
  }
  return null
}

/** True if the name of a variable begins with a scope. */
export const isBelow = (table: NameTable, variable: string, { body }: Scope): boolean =>
  spell(table, variable).startsWith(body)

/** The first `most` scopes of a file with names of the table's body, in the order of the file. */
export function scopesOf(table: NameTable, variables: Iterable<string>, most: number): Scope[] {
  const scopes = new Map<string, Scope>()
  for (const variable of variables) {
    if (scopes.size === most) break
    const name = spell(table, variable)
    for (const compiledRow of rowsFor(table, name)) {
      const groups = compiledRow.row.prefixed ? compiledRow.anywhere.exec(name)?.groups : undefined
      if (groups === undefined) continue
      const { s = '', p = '' } = groups
      scopes.set(s + p, { body: s + p, heads: [s, s.replace(/[^./]+[./]$/, ''), ''] })
      break
    }
  }
  return [...scopes.values()]
}

/** All patterns of a list in one, which most names do not fit. */
const unions = new WeakMap<NameTable['skipped'], RegExp>()

/** Why `name` is known and left out, or null. */
export function skipReason({ skipped }: NameTable, name: string): string | null {
  if (skipped.length === 0) return null
  let union = unions.get(skipped)
  if (union === undefined)
    unions.set(skipped, (union = new RegExp(skipped.map(([{ source }]) => `(?:${source})`).join('|'))))
  return union.test(name) ? (skipped.find(([pattern]) => pattern.test(name))?.[1] ?? null) : null
}
