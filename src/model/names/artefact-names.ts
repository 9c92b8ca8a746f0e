import { unsupported } from '../../base/errors.js'
import { isFloat, type TensorSource } from '../../formats/core/source.js'
import type { Layout, Parameter } from '../albert.js'
import type { Family } from '../config.js'
import type { Identification, MappedVariable, SkippedVariable } from './identification.js'
import { slotPattern } from './placeholders.js'
import type { NameRow, NameTable } from './row.js'
import { NAME_TABLES } from './tables.js'
import { tableFor } from './write-names.js'
import type { FileOrder } from '../tensors/rebind.js'

/**
 * Names of the weights in artefacts that albertkit wrote: the slots themselves. The metadata have the family and, for a
 * graph that keeps the source's order of bytes, the slots that are not stored in the logical order.
 */

/** Formats of artefacts, in words. */
const TITLES: Readonly<Record<string, string>> = { onnx: 'ONNX', tfjs: 'tfjs', tflite: 'TensorFlow Lite' }

const LAYOUTS: readonly Layout[] = ['as_is', 'transposed', 'grouped']

export const isArtefact = ({ format }: TensorSource): boolean => Object.hasOwn(TITLES, format)

/** Layouts of slots that are not stored in the logical order, as JSON: `{"pooler/dense/kernel":"transposed"}`. */
export function layoutsOf(weights: Iterable<Pick<Parameter, 'slot' | 'layout'>>): string {
  const others = [...weights].filter(({ layout }) => layout !== 'as_is')
  return JSON.stringify(Object.fromEntries(others.map(({ slot, layout }) => [slotPattern(slot).pattern, layout])))
}

/** Layouts in the metadata, or null if they cannot be read. */
function readLayouts(text: string | undefined): ReadonlyMap<string, Layout> | null {
  try {
    const parsed: unknown = JSON.parse(text ?? '')
    const entries = Object.entries(parsed ?? {}).filter((entry): entry is [string, Layout] =>
      LAYOUTS.some((layout) => layout === entry[1]),
    )
    return new Map(entries)
  } catch {
    return null
  }
}

/** Slot of the table that a graph of fixed length cuts. */
const POSITIONS = 'embeddings/position_embeddings'

/** Tokens of a row, if an artefact takes no other number: its table of positions has as many rows; else null. */
export function fixedLengthOf({ metadata, tensors }: TensorSource): number | null {
  const rows = tensors.get(POSITIONS)?.shape[0]
  return rows !== undefined && metadata?.get('sequence') === String(rows) ? rows : null
}

/**
 * Element order of the weights of an artefact. `named`: as its metadata say, and a graph of fixed length has no further
 * positions. A file whose matrices are stored in blocks has the order that its metadata name, too.
 */
export function artefactForm(source: TensorSource, order: 'stored' | 'logical' | 'named'): FileOrder {
  const isNamed = order === 'named' || source.metadata?.has('blocks') === true
  if (!isNamed) return order
  const layouts = readLayouts(source.metadata?.get('layouts'))
  const rows = fixedLengthOf(source)
  return {
    layoutOf: (slot) => layouts?.get(slotPattern(slot).pattern) ?? 'as_is',
    cut: (p) => {
      if (p.slot !== POSITIONS || p.layout !== 'as_is' || rows === null || rows > (p.shape[0] ?? 0)) return p
      const shape = [rows, ...p.shape.slice(1)]
      return { ...p, shape, storedShape: shape }
    },
  }
}

/** A kernel of google_fast in the logical order: its groups come first. */
const groupsFirst = (row: NameRow): NameRow => ({
  ...row,
  layout: 'as_is',
  dims: ['16', ...row.dims.map((dim) => (dim === 'I' ? ('I/16' as const) : ('H/16' as const)))],
})

/** The rows of an artefact: every slot of the family, its own name, in the order that the graph has it. */
function slotRows(tables: readonly NameTable[], source: TensorSource): NameRow[] {
  const layouts = readLayouts(source.metadata?.get('layouts'))
  const rows = new Map<string, NameRow>()
  for (const row of tables.flatMap((table) => table.rows)) {
    if (rows.has(row.slot)) continue
    const own = { ...row, name: row.slot, prefixed: false }
    const stored = layouts === null ? row.layout : (layouts.get(row.slot) ?? 'as_is')
    const layout = source.format === 'tfjs' ? 'as_is' : stored
    rows.set(row.slot, row.layout === 'grouped' && layout === 'as_is' ? groupsFirst(own) : { ...own, layout })
  }
  return [...rows.values()]
}

/**
 * Sorts the tensors of an artefact: those that are named like a slot of its family, and constants of its graph.
 * @throws AlbertkitError `unsupported` if albertkit did not write it
 */
export function identifyArtefact(source: TensorSource): Identification {
  const said = source.metadata?.get('family')
  const isBert = [...source.tensors.keys()].some((slot) => /^encoder\/layer_\d+\/attention\/query\//.test(slot))
  const ofFamily = NAME_TABLES.filter((t) => t.family === said)
  const tables = ofFamily.filter((t) => said !== 'hf' || (t.architecture === 'bert') === isBert)
  const first = tables[0] === undefined ? undefined : tableFor(tables[0], [...source.tensors.keys()])
  const what = TITLES[source.format] ?? source.format
  if (first === undefined) {
    const file = source.files[0]
    throw unsupported(`the ${what} model was not written by albertkit: its weights do not name their parameters`, {
      code: 'source-foreign',
      ...(file === undefined ? {} : { file }),
      hint: 'convert the model that it was exported from',
    }) // prettier-ignore
  }
  const rows = slotRows(tables, source)
  const mapped = new Map<string, MappedVariable>()
  const skipped: SkippedVariable[] = []
  for (const { name: variable, dtype } of source.tensors.values()) {
    const { pattern, indices } = slotPattern(variable)
    const row = rows.find(({ slot }) => slot === pattern)
    if (row !== undefined && isFloat(dtype))
      mapped.set(variable, { row, slot: variable, indices, prefix: '', variable })
    else skipped.push({ variable, reason: row === undefined ? 'constant of the graph' : `${dtype} weight` })
  }
  const { scoped: _, ...unscoped } = first
  const table: NameTable = {
    ...unscoped,
    family: first.family satisfies Family,
    title: `${what} of ${first.title}`,
    prefixes: [''],
    rows,
    spellings: [],
    skipped: [],
  }
  return {
    table,
    reason:
      `the file says that albertkit wrote it from ${first.title}; ` + `${mapped.size} weights are named by their slots`,
    mapped,
    skipped,
    unknown: [],
  }
}
