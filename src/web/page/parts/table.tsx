import { Fragment, type ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { useSession } from '../session.js'

export interface Column<T> {
  readonly title: string
  readonly cell: (row: T) => ComponentChildren
  /** True of numbers, which stand to the right. */
  readonly numeric?: boolean
}

interface TableProps<T> {
  readonly caption: string
  readonly columns: readonly Column<T>[]
  readonly rows: readonly T[]
  /** Text of a row that a filter looks in; none without. */
  readonly textOf?: (row: T) => string
  /** Rows that are shown at first. */
  readonly first?: number
}

/** A table that scrolls within its place, with a filter for long ones. */
export function Table<T>({ caption, columns, rows, textOf, first = 60 }: TableProps<T>) {
  const { t, n } = useSession()
  const [filter, setFilter] = useState('')
  const [all, setAll] = useState(false)
  const wanted = filter.toLowerCase()
  const found =
    textOf === undefined || wanted === '' ? rows : rows.filter((row) => textOf(row).toLowerCase().includes(wanted))
  const shown = all ? found : found.slice(0, first)
  return (
    <>
      {textOf !== undefined && rows.length > 12 && (
        <label class="field inline">
          {t('filter')}
          <input
            type="search"
            value={filter}
            onInput={(event) => {
              setFilter(event.currentTarget.value)
            }}
          />
        </label>
      )}
      <div class="scroll" tabIndex={0} role="region" aria-label={caption}>
        <table>
          <thead>
            <tr>
              {columns.map(({ title, numeric }) => (
                <th key={title} scope="col" class={numeric === true ? 'number' : undefined}>
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row, i) => (
              <tr key={i}>
                {columns.map(({ title, cell, numeric }) => (
                  <td key={title} class={numeric === true ? 'number' : undefined}>
                    {cell(row)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {shown.length < found.length && (
        <button
          type="button"
          class="quiet"
          onClick={() => {
            setAll(true)
          }}
        >
          {t('showAll', { n: n(found.length) })}
        </button>
      )}
    </>
  )
}

/** A name that may break after its underscores. */
const breakable = (name: string): ComponentChildren =>
  name.split(/(?<=_)/).map((part) => (
    <Fragment key={part}>
      {part}
      <wbr />
    </Fragment>
  ))

/** Names and values of a thing. */
export function Facts({ facts }: { readonly facts: readonly (readonly [name: string, value: ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{breakable(name)}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
