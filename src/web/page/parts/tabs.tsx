import type { FunctionComponent } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { useSession, type Model } from '../session.js'
import { Convert } from '../views/convert.js'
import { Diff } from '../views/diff.js'
import { Overview } from '../views/overview.js'
import { Params } from '../views/params.js'
import { Tokens } from '../views/tokens.js'
import { Weights } from '../views/weights.js'

const VIEWS = {
  overview: Overview,
  params: Params,
  weights: Weights,
  diff: Diff,
  convert: Convert,
  tokens: Tokens,
} as const satisfies Record<string, FunctionComponent<{ readonly model: Model }>>

type ViewName = keyof typeof VIEWS
const NAMES = Object.keys(VIEWS) as readonly ViewName[]

const STEPS: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }

/** The views of a model; one that was opened keeps what it holds. */
export function Tabs({ model }: { readonly model: Model }) {
  const { t } = useSession()
  const [active, setActive] = useState<ViewName>('overview')
  const [opened, setOpened] = useState<ReadonlySet<ViewName>>(new Set(['overview']))
  const list = useRef<HTMLDivElement>(null)
  const choose = (name: ViewName): void => {
    setActive(name)
    setOpened((before) => new Set([...before, name]))
  }
  return (
    <>
      <div
        ref={list}
        class="tabs"
        role="tablist"
        aria-label={t('views')}
        onKeyDown={(event) => {
          const step = STEPS[event.key]
          if (step === undefined) return
          event.preventDefault()
          const next = NAMES[(NAMES.indexOf(active) + step + NAMES.length) % NAMES.length]!
          choose(next)
          list.current?.querySelector<HTMLElement>(`#tab-${next}`)?.focus()
        }}
      >
        {NAMES.map((name) => (
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
            {t(name)}
          </button>
        ))}
      </div>
      {NAMES.map((name) => {
        const View = VIEWS[name]
        return (
          <div
            key={name}
            role="tabpanel"
            id={`view-${name}`}
            aria-labelledby={`tab-${name}`}
            hidden={name !== active}
            class="view"
          >
            {opened.has(name) && <View model={model} />}
          </div>
        )
      })}
    </>
  )
}
