/** A value of a list, between 0 and 1. */
export interface BarItem {
  readonly name: string
  readonly value: number
  readonly isFirst?: boolean
}

/** Values as bars, each with its name and its digits. */
export function Bars({ items, label }: { readonly items: readonly BarItem[]; readonly label: string }) {
  return (
    <ol class="values" aria-label={label}>
      {items.map(({ name, value, isFirst = false }) => (
        <li key={name} class={isFirst ? 'top-value' : undefined}>
          <span class="value-name">{name}</span>
          <span class="track" aria-hidden="true">
            <span class="fill" style={{ width: `${(100 * Math.min(1, Math.max(0, value))).toFixed(2)}%` }} />
          </span>
          <span class="value-number">{value.toFixed(6)}</span>
        </li>
      ))}
    </ol>
  )
}
