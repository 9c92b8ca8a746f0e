/** Contents of a cell: the text to print, and the value for CSV. */
export interface Cell {
  readonly text: string
  readonly value: string | number | null
}

export interface DataColumn {
  readonly title: string
  /** True for a column of numbers, which is aligned right. */
  readonly number?: boolean
}

/** A table before it is printed: for a terminal, Markdown, CSV or HTML. */
export interface DataTable {
  readonly title: string
  readonly columns: readonly DataColumn[]
  readonly rows: readonly (readonly Cell[])[]
  /** Lines printed below the table. */
  readonly notes?: readonly string[]
}
