import { unsupported } from '../errors.js'
import { isFloat, type TensorSource } from '../formats/source.js'
import { matchName, NAME_TABLES, skipReason, type NameMatch, type NameTable } from './names.js'

/** Which variable fills which slot, and what became of every other variable of the file. */
export interface Identification {
  readonly table: NameTable
  /** Why this family, one sentence. */
  readonly reason: string
  /** Slot → variable. */
  readonly mapped: ReadonlyMap<string, MappedVariable>
  /** Known and left out: optimizer state, tied copies, buffers. */
  readonly skipped: readonly SkippedVariable[]
  /** Names that belong to nothing the family has. */
  readonly unknown: readonly string[]
}

export interface MappedVariable extends NameMatch {
  readonly variable: string
}

export interface SkippedVariable {
  readonly variable: string
  readonly reason: string
}

/** Sorts every variable of `source` into mapped, skipped and unknown by `table`. */
function sortVariables(source: TensorSource, table: NameTable): Omit<Identification, 'reason'> {
  const mapped = new Map<string, MappedVariable>()
  const skipped: SkippedVariable[] = []
  const unknown: string[] = []
  for (const { name: variable, dtype } of source.tensors.values()) {
    const reason = skipReason(table, variable)
    const match = reason === null ? matchName(table, variable) : null
    if (reason !== null) skipped.push({ variable, reason })
    else if (match !== null && isFloat(dtype) && !mapped.has(match.slot)) mapped.set(match.slot, { ...match, variable })
    else if (dtype === 'STRING' || dtype === 'VARIANT')
      skipped.push({ variable, reason: `${dtype.toLowerCase()} tensor` })
    else unknown.push(variable)
  }
  return { table, mapped, skipped, unknown }
}

/** A few names of the file, for a message. */
function sample(source: TensorSource): string {
  const names = [...source.tensors.keys()]
  const shown = names.slice(0, 3).join(', ')
  return names.length > 3 ? `${shown} … (${names.length} tensors)` : shown
}

/** The family most of whose names occur, for a file that is none of them. */
function nearestHint(candidates: readonly Omit<Identification, 'reason'>[]): string {
  const nearest = candidates.reduce((best, c) => (c.mapped.size > best.mapped.size ? c : best))
  if (nearest.mapped.size === 0) return `known families: ${NAME_TABLES.map((t) => t.title).join(', ')}`
  const missing = nearest.table.rows.find((row) => !nearest.mapped.has(row.slot))
  return `nearest is ${nearest.table.title}: ${nearest.mapped.size} names fit, but e.g. ${String(missing?.name)} is missing`
}

/**
 * Finds the family whose name table fits the names of `source`.
 * @throws AlbertkitError `unsupported` when the file holds no model of a known family.
 */
export function identify(source: TensorSource): Identification {
  const names = [...source.tensors.keys()]
  const file = source.files[0]
  const signed = NAME_TABLES.filter((table) =>
    names.some((name) => table.sign.pattern.test(name) && skipReason(table, name) === null),
  ).map((table) => sortVariables(source, table))
  const best = signed.reduce<(typeof signed)[number] | null>(
    (a, b) => (a === null || b.mapped.size > a.mapped.size ? b : a),
    null,
  )
  if (best !== null && best.mapped.size > 0) {
    return { ...best, reason: `${best.table.sign.reason}; ${best.mapped.size} variables fit ${best.table.title}` }
  }
  const where = file === undefined ? {} : { file }
  if (names.length === 0) throw unsupported('the file holds no tensors', where)
  const candidates = NAME_TABLES.map((table) => sortVariables(source, table))
  if (candidates.some((c) => c.skipped.length === names.length)) {
    throw unsupported('the file holds only optimizer state and counters, no weights of a model', {
      ...where,
      hint: 'convert the checkpoint that the training saved before it was stripped',
    })
  }
  throw unsupported(`no known model family has these names: ${sample(source)}`, {
    ...where,
    hint: nearestHint(candidates),
  })
}
