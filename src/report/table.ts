import Table from '../vendor/cli-table3.js'
import { escapeControl } from './escape.js'

/** Columns that hold numbers, by index, are aligned right. */
export interface TableOptions {
  readonly head: readonly string[]
  readonly right?: readonly number[]
}

/** A plain table without colour or frames: it survives pipes, logs and `grep`. */
export function table(rows: readonly (readonly string[])[], { head, right = [] }: TableOptions): string {
  const none = { top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ' } // prettier-ignore
  const grid = new Table({
    head: [...head],
    chars: none,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns: head.map((_, i) => (right.includes(i) ? 'right' : 'left')),
  })
  for (const row of rows) grid.push(row.map((cell) => escapeControl(cell)))
  return grid
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}
