import { displayWidth } from './display-width.js'
import { escapeControl } from '../base/escape.js'

export interface TableOptions {
  readonly head: readonly string[]
  /** Indices of the columns of numbers, which are aligned right. */
  readonly right?: readonly number[]
  /** Width of the terminal; the widest column of text is wrapped until the table fits. No limit if absent. */
  readonly width?: number
  /** Indices of the columns to drop, in this order, before any text is wrapped. */
  readonly spare?: readonly number[]
}

const GAP = 2
/** Smallest width of a wrapped column of text. */
const NARROWEST = 12

const widthsOf = (rows: readonly (readonly string[])[], head: readonly string[]): number[] =>
  head.map((title, i) =>
    Math.max(...[title, ...rows.map((row) => row[i] ?? '')].map((cell) => displayWidth(escapeControl(cell)))),
  )

/** Indices of the columns that a table of at most `width` terminal columns keeps. */
function keptColumns(rows: readonly (readonly string[])[], options: TableOptions): number[] {
  const { head, width = Infinity, spare = [] } = options
  const widths = widthsOf(rows, head)
  let kept = head.map((_, i) => i)
  for (const column of spare) {
    if (kept.reduce((sum, i) => sum + widths[i]! + GAP, -GAP) <= width) break
    kept = kept.filter((i) => i !== column)
  }
  return kept
}

/** Widths of the columns such that the table fits; null if it fits without wrapping. */
function fittedWidths(rows: readonly (readonly string[])[], options: TableOptions): number[] | null {
  const { head, right = [], width = Infinity } = options
  const widths = widthsOf(rows, head)
  let excess = widths.reduce((sum, w) => sum + w + GAP, -GAP) - width
  if (excess <= 0) return null
  while (excess > 0) {
    const texts = widths.flatMap((w, i) => (right.includes(i) || w <= NARROWEST ? [] : [i]))
    const widest = texts.reduce<number | null>((a, i) => (a === null || widths[i]! > widths[a]! ? i : a), null)
    if (widest === null) return widths
    const cut = Math.min(excess, Math.max(1, Math.ceil((widths[widest]! - NARROWEST) / 4)))
    widths[widest]! -= cut
    excess -= cut
  }
  return widths
}

/** Wraps `text` into lines of at most `width` columns, between words, or within a word that is too long. */
export function wrap(text: string, width: number): string[] {
  if (displayWidth(text) <= width) return [text]
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && displayWidth(line) + 1 + displayWidth(word) <= width) {
      line += ` ${word}`
      continue
    }
    if (line !== '') lines.push(line)
    line = ''
    for (const character of word) {
      if (displayWidth(line + character) > width) {
        lines.push(line)
        line = ''
      }
      line += character
    }
  }
  return [...lines, line]
}

/** A plain table without colour or frames: it survives pipes, logs and `grep`. */
export function table(rows: readonly (readonly string[])[], options: TableOptions): string {
  const kept = keptColumns(rows, options)
  if (kept.length < options.head.length) {
    const { head, right = [], width } = options
    const rest = { head: kept.map((i) => head[i]!), right: kept.flatMap((i, at) => (right.includes(i) ? [at] : [])) }
    return table(
      rows.map((row) => kept.map((i) => row[i] ?? '')),
      width === undefined ? rest : { ...rest, width },
    )
  }
  const { head, right = [] } = options
  const fitted = fittedWidths(rows, options)
  const fit = (cell: string, i: number): string[] => (fitted === null ? [cell] : wrap(cell, fitted[i] ?? NARROWEST))
  const cells = [
    head.map((title) => [escapeControl(title)]),
    ...rows.map((row) => head.map((_, i) => fit(escapeControl(row[i] ?? ''), i))),
  ]
  const widths = head.map((_, i) => Math.max(...cells.flatMap((row) => row[i]!.map(displayWidth))))
  const pad = (text: string, i: number): string => {
    const space = ' '.repeat(widths[i]! - displayWidth(text))
    return right.includes(i) ? space + text : text + space
  }
  const lines = cells.flatMap((row) =>
    Array.from({ length: Math.max(...row.map((cell) => cell.length)) }, (_, line) =>
      row.map((cell, i) => pad(cell[line] ?? '', i)).join(' '.repeat(GAP)),
    ),
  )
  return lines.map((line) => line.trimEnd()).join('\n')
}
