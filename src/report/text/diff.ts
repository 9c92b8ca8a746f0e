import { escapeAll } from '../../base/escape.js'
import type { DiffReport, SlotDiff } from '../../api/diff/report.js'
import { count, scientific, shape } from '../format.js'
import { table } from '../table.js'

const STATUS = {
  equal: 'equal',
  within: 'within bound',
  differs: 'DIFFERS',
  shape: 'OTHER SHAPE',
  'only-a': 'ONLY IN A',
  'only-b': 'ONLY IN B',
} as const

/** Cells of a slot: its numbers, or the reason why there are none. */
function cells(slot: SlotDiff): string[] {
  const { a, b, different, maxAbs, status } = slot
  const numbers = different === null ? ['', ''] : [`${count(different)} of ${count(slot.elements)}`, scientific(maxAbs)]
  const types = a === null || b === null || a.dtype === b.dtype ? (a ?? b)?.dtype : `${a.dtype} | ${b.dtype}`
  const sizes =
    status === 'shape' ? `${shape(a?.shape ?? [])} | ${shape(b?.shape ?? [])}` : shape((a ?? b)?.shape ?? [])
  const where = slot.harmless ?? (slot.where.length === 0 ? '' : shape(slot.where))
  return [slot.slot, STATUS[status], ...numbers, where, types ?? '', sizes]
}

/** Last line of the text; it distinguishes a model that only lacks slots, e.g. a head, from one with other values. */
function verdict({ ok, counts, config }: DiffReport): string {
  if (ok) return 'the same model'
  const { differs, shape, onlyA, onlyB } = counts
  if (differs + shape + config.length > 0 || (onlyA > 0 && onlyB > 0)) return 'the models differ'
  const [less, more] = onlyA > 0 ? ['B', 'A'] : ['A', 'B']
  return `equal in all that ${less} has; ${more} has more (--common ignores that)`
}

/** Renders the report of `diff` as text: the slots that differ, or with `all` every slot. */
export function diffText(raw: DiffReport, all: boolean, width = Infinity): string {
  const report = escapeAll(raw)
  const { a, b, counts, config, slots } = report
  const shown = all ? slots : slots.filter(({ status }) => status !== 'equal')
  const lines = [`A  ${a.path} (${a.format}): ${a.title}`, `B  ${b.path} (${b.format}): ${b.title}`, '']
  if (shown.length > 0) {
    const head = ['slot', '', 'different', 'max |Δ|', 'largest at', 'type', 'shape']
    lines.push(table(shown.map(cells), { head, right: [2, 3], spare: [6, 5, 4], width }), '')
  }
  for (const field of config) lines.push(`config   ${field.field}: ${field.a} in A, ${field.b} in B`)
  lines.push(...report.notes.map((note) => `note     ${note}`))
  const parts = [
    [counts.equal, 'equal'],
    [counts.within, `within ${report.atol}`],
    [counts.differs, 'different'],
    [counts.shape, 'of another shape'],
    [counts.onlyA, 'only in A'],
    [counts.onlyB, 'only in B'],
  ] as const
  const said = parts.filter(([n]) => n > 0).map(([n, words]) => `${n} ${words}`)
  lines.push(`${slots.length} slots: ${said.join(', ')}`)
  lines.push(verdict(report))
  return lines.join('\n')
}
