import type { ComponentChildren } from 'preact'
import { useRef, useState } from 'preact/hooks'

const STEPS: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }

interface TabListProps<Name extends string> {
  /** Name of the list, for readers of the screen. */
  readonly label: string
  readonly names: readonly Name[]
  readonly titleOf: (name: Name) => string
  readonly view: (name: Name) => ComponentChildren
}

/** Views of which one is shown; one that was opened keeps what it holds. */
export function TabList<Name extends string>({ label, names, titleOf, view }: TabListProps<Name>) {
  const [active, setActive] = useState<Name>(names[0]!)
  const [opened, setOpened] = useState<ReadonlySet<Name>>(new Set([active]))
  const list = useRef<HTMLDivElement>(null)
  const choose = (name: Name): void => {
    setActive(name)
    setOpened((before) => new Set([...before, name]))
  }
  return (
    <>
      <div
        ref={list}
        class="tabs"
        role="tablist"
        aria-label={label}
        onKeyDown={(event) => {
          const step = STEPS[event.key]
          if (step === undefined) return
          event.preventDefault()
          const next = names[(names.indexOf(active) + step + names.length) % names.length]!
          choose(next)
          list.current?.querySelector<HTMLElement>(`#tab-${next}`)?.focus()
        }}
      >
        {names.map((name) => (
          <button
            key={name}
            type="button"
            role="tab"
            id={`tab-${name}`}
            aria-selected={name === active}
            aria-controls={`view-${name}`}
            tabIndex={name === active ? 0 : -1}
            onClick={() => {
              choose(name)
            }}
          >
            {titleOf(name)}
          </button>
        ))}
      </div>
      {names.map((name) => (
        <div
          key={name}
          role="tabpanel"
          id={`view-${name}`}
          aria-labelledby={`tab-${name}`}
          hidden={name !== active}
          class="view"
        >
          {opened.has(name) && view(name)}
        </div>
      ))}
    </>
  )
}
