import { displayWidth } from './display-width.js'
import { escapeControl } from '../base/escape.js'
import { largestOf } from '../base/largest.js'
import { capture, isCapturing } from './capture.js'
import { terminalWidth } from './terminal-width.js'

export interface TableOptions {
  readonly head: readonly string[]
  /** Indices of the columns of numbers, which are aligned right. */
  readonly right?: readonly number[]
  /** Width that the table must fit; default that of the terminal. */
  readonly width?: number
  /** Indices of the columns to drop, in this order, before any text is wrapped. */
  readonly spare?: readonly number[]
}

const GAP = 2
/** Smallest widths of a wrapped column of text: usually, and in a terminal in which the table would not fit otherwise. */
const [NARROW, NARROWEST] = [12, 6]

const widthsOf = (rows: readonly (readonly string[])[], head: readonly string[]): number[] =>
  head.map((title, i) =>
    largestOf([title, ...rows.map((row) => row[i] ?? '')].map((cell) => displayWidth(escapeControl(cell)))),
  )

/** Indices of the columns that a table of at most `width` terminal columns keeps. */
function keptColumns(rows: readonly (readonly string[])[], options: TableOptions): number[] {
  const { head, width = terminalWidth(), spare = [] } = options
  const widths = widthsOf(rows, head)
  let kept = head.map((_, i) => i)
  for (const column of spare) {
    if (kept.reduce((sum, i) => sum + widths[i]! + GAP, -GAP) <= width) break
    kept = kept.filter((i) => i !== column)
  }
  return kept
}

const total = (widths: readonly number[]): number => widths.reduce((sum, w) => sum + w + GAP, -GAP)

/** Widths of the columns, those of text not below `least`, such that the table fits if it can. */
function fittedWidths(rows: readonly (readonly string[])[], options: TableOptions, least: number): number[] {
  const { head, right = [], width = terminalWidth() } = options
  const widths = widthsOf(rows, head)
  // Titles are not wrapped.
  const floor = head.map((title) => Math.max(least, displayWidth(escapeControl(title))))
  let excess = total(widths) - width
  while (excess > 0) {
    const texts = widths.flatMap((w, i) => (right.includes(i) || w <= floor[i]! ? [] : [i]))
    const widest = texts.reduce<number | null>((a, i) => (a === null || widths[i]! > widths[a]! ? i : a), null)
    if (widest === null) return widths
    const cut = Math.min(excess, Math.max(1, Math.ceil((widths[widest]! - floor[widest]!) / 4)))
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

/** The columns `kept` of a table. */
function part(rows: readonly (readonly string[])[], options: TableOptions, kept: readonly number[]): string {
  const { head, right = [], width } = options
  const rest = { head: kept.map((i) => head[i]!), right: kept.flatMap((i, at) => (right.includes(i) ? [at] : [])) }
  return table(
    rows.map((row) => kept.map((i) => row[i] ?? '')),
    width === undefined ? rest : { ...rest, width },
  )
}

/** Groups of columns that fit side by side, each begun by the first one, which names the rows. */
function groups(widths: readonly number[], width: number): number[][] {
  const found: number[][] = []
  let own = [0]
  for (let i = 1; i < widths.length; i++) {
    if (own.length > 1 && total([...own, i].map((at) => widths[at]!)) > width) {
      found.push(own)
      own = [0]
    }
    own.push(i)
  }
  return [...found, own]
}

/** A number as CSV has it: `4,182,144` is 4182144. */
const plainValue = (text: string): string =>
  /^-?\d{1,3}(,\d{3})+(\.\d+)?$/.test(text) ? text.replaceAll(',', '') : text

function captureTable(rows: readonly (readonly string[])[], { head, right = [] }: TableOptions): void {
  capture({
    title: '',
    columns: head.map((title, i) => ({ title: title.trim(), number: right.includes(i) })),
    rows: rows.map((row) => head.map((_, i) => ({ text: row[i] ?? '', value: plainValue((row[i] ?? '').trim()) }))),
  })
}

/**
 * A plain table without colour or frames: it survives pipes, logs and `grep`. One that is wider than the terminal loses
 * its spare columns; then texts are wrapped; then it is printed as several tables.
 */
export function table(rows: readonly (readonly string[])[], options: TableOptions): string {
  const { head, right = [], width = terminalWidth() } = options
  if (isCapturing()) {
    captureTable(rows, options)
    return ''
  }
  const kept = keptColumns(rows, options)
  if (kept.length < head.length) return part(rows, options, kept)
  const usual = fittedWidths(rows, options, NARROW)
  const fitted = total(usual) <= width ? usual : fittedWidths(rows, options, NARROWEST)
  const parts = total(fitted) <= width ? [] : groups(fitted, width)
  if (parts.length > 1) return parts.map((columns) => part(rows, options, columns)).join('\n\n')
  const cells = [
    head.map((title) => [escapeControl(title)]),
    ...rows.map((row) => head.map((_, i) => wrap(escapeControl(row[i] ?? ''), fitted[i]!))),
  ]
  const widths = head.map((_, i) => largestOf(cells.flatMap((row) => row[i]!.map(displayWidth))))
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
