import type { DataTable } from './data-table.js'

/**
 * Where the tables of a text go besides the text: the commands print texts with tables, or on request the tables alone
 * (`--output-format`). What lays a table out puts it here first.
 */
let captured: DataTable[] | null = null
let forCsv = false

/** True while tables are collected: their text is not needed then. */
export const isCapturing = (): boolean => captured !== null

/** True while they are collected for CSV, which some commands have another table for. */
export const isCapturingCsv = (): boolean => captured !== null && forCsv

export function capture(table: DataTable): void {
  captured?.push(table)
}

/** The tables that `render` lays out, in their order. */
export function capturedTables(render: () => string, format: 'markdown' | 'csv'): readonly DataTable[] {
  const found: DataTable[] = []
  captured = found
  forCsv = format === 'csv'
  try {
    render()
  } finally {
    captured = null
  }
  return found
}
