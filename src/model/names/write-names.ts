import type { ModelConfig } from '../config.js'
import { fillPattern, nameIndices, slotPattern } from './placeholders.js'
import type { NameRow, NameTable } from './row.js'
import { NAME_TABLES } from './tables.js'

/** The name tables read the other way: from slots to the names of variables. */

export interface NamedSlot {
  readonly name: string
  readonly row: NameRow
}

export interface NamingOptions {
  /** Leave the prefix out, as models without heads are stored by transformers. */
  readonly bare?: boolean
}

/** The table of a family and architecture that has a place for the most of `slots`; some families have two layouts. */
export function tableFor(config: Pick<ModelConfig, 'family' | 'architecture'>, slots: readonly string[]): NameTable {
  const { family, architecture } = config
  const patterns = slots.map((slot) => slotPattern(slot).pattern)
  const fitting = NAME_TABLES.filter((t) => t.family === family && t.architecture === architecture).map((table) => {
    const known = new Set(table.rows.map(({ slot }) => slot))
    return { table, count: patterns.filter((pattern) => known.has(pattern)).length }
  })
  const best = fitting.reduce<(typeof fitting)[number] | null>(
    (a, b) => (a === null || b.count > a.count ? b : a),
    null,
  )
  if (best === null) throw new RangeError(`${family} ${architecture}`)
  return best.table
}

/**
 * The names that `table` gives to `slots` of a model of `config`; null for a slot that the family does not have.
 * albert_zh names an unshared layer in two ways: below `layer_shared` if the other half of the layer is shared, else
 * below `layer_<l>`.
 */
export function nameSlots(
  table: NameTable,
  config: ModelConfig,
  slots: readonly string[],
  { bare = false }: NamingOptions = {},
): Map<string, NamedSlot | null> {
  const shared = slots.some((slot) => slot.startsWith('encoder/shared/'))
  const prefix = bare && table.prefixes.includes('') ? '' : (table.prefixes[0] ?? '')
  const named = (slot: string): NamedSlot | null => {
    const { pattern, indices } = slotPattern(slot)
    const fitting = table.rows.filter((row) => row.slot === pattern)
    const row = fitting.find(({ name }) => name.includes('layer_shared') === shared) ?? fitting[0]
    if (row === undefined) return null
    return { row, name: (row.prefixed ? prefix : '') + fillPattern(row.name, nameIndices(config, slot, indices)) }
  }
  return new Map(slots.map((slot) => [slot, named(slot)]))
}
