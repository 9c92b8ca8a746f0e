import { csvField, escapeControl } from '../base/escape.js'
import type { Cell, DataTable } from './data-table.js'
import { capture, isCapturing } from './capture.js'
import { displayWidth } from './display-width.js'
import { table, wrap } from './table.js'

export type { Cell, DataColumn, DataTable } from './data-table.js'

export const textCell = (text: string): Cell => ({ text, value: text })
export const numberCell = (value: number | null, show: (n: number) => string): Cell =>
  value === null ? { text: '–', value: null } : { text: show(value), value }

const GAP = 2
/** Width to which a column of text may be wrapped before the table is split. */
const WRAPPED = 24

/** Groups of columns that fit `width` together with the first column, which each group repeats. */
function columnGroups({ columns, rows }: DataTable, width: number): number[][] {
  const widths = columns.map(({ title, number }, i) => {
    const widest = Math.max(displayWidth(title), ...rows.map((row) => displayWidth(escapeControl(row[i]?.text ?? ''))))
    return number === true ? widest : Math.min(widest, WRAPPED)
  })
  const groups: number[][] = [[0]]
  let used = widths[0] ?? 0
  for (let i = 1; i < columns.length; i++) {
    const group = groups[groups.length - 1]!
    const wanted = GAP + (widths[i] ?? 0)
    if (used + wanted > width && group.length > 1) {
      groups.push([0, i])
      used = (widths[0] ?? 0) + wanted
    } else {
      group.push(i)
      used += wanted
    }
  }
  return groups
}

/**
 * Renders tables for a terminal of `width` columns (Infinity: no limit, for pipes). A wider table is split into
 * several, one below the other, each with the first column.
 */
export function tablesText(tables: readonly DataTable[], width: number): string {
  if (isCapturing()) {
    for (const one of tables) capture(one)
    return ''
  }
  const blocks = tables.map((t) => {
    const parts = columnGroups(t, width).map((group) =>
      table(
        t.rows.map((row) => group.map((i) => row[i]?.text ?? '')),
        {
          head: group.map((i) => t.columns[i]?.title ?? ''),
          right: group.flatMap((i, at) => (t.columns[i]?.number === true ? [at] : [])),
          width,
        },
      ),
    )
    const notes = (t.notes ?? []).flatMap((note) => wrap(escapeControl(note), width))
    return [...(t.title === '' ? [] : [escapeControl(t.title)]), parts.join('\n\n'), ...notes].join('\n')
  })
  return blocks.join('\n\n')
}

const markdownCell = (text: string): string => escapeControl(text).replace(/([|\\`*_<>[\]])/g, '\\$1')

/** Renders tables as GitHub Markdown. */
export function tablesMarkdown(tables: readonly DataTable[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return tables
    .map(({ title, columns, rows, notes = [] }) =>
      [
        ...(title === '' ? [] : [`**${markdownCell(title)}**`, '']),
        line(columns.map((c) => markdownCell(c.title))),
        line(columns.map((c) => (c.number === true ? '---:' : '---'))),
        ...rows.map((row) => line(row.map((cell) => markdownCell(cell.text)))),
        ...notes.flatMap((note) => ['', markdownCell(note)]),
      ].join('\n'),
    )
    .join('\n\n')
}

/** Cell of CSV. */
const csvCell = ({ value }: Cell): string =>
  value === null ? '' : typeof value === 'number' ? String(value) : csvField(value)

/** Renders a table as CSV with a header line. */
export const tableCsv = ({ columns, rows }: DataTable): string =>
  [columns.map((c) => textCell(c.title)), ...rows].map((row) => row.map(csvCell).join(',')).join('\r\n') + '\r\n'

/** Width of the terminal on stdout; Infinity for a pipe or a file. */
export const terminalWidth = (): number => (process.stdout.isTTY ? process.stdout.columns || 80 : Infinity)
