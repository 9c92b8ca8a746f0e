import type { ComponentChildren } from 'preact'
import type { SpanAnswer, TagAnswer } from '../../../api/page/report.js'
import { Table } from '../../page/parts/table.js'
import { useSession } from '../../page/session.js'

/** Part of a text, by its characters as Unicode code points. */
interface Place {
  readonly start: number
  readonly end: number
}

/** A text, with places of it marked. */
function Marked<T extends Place>({
  text,
  places,
  mark,
}: {
  readonly text: string
  readonly places: readonly T[]
  readonly mark: (place: T, inner: string) => ComponentChildren
}) {
  const characters = Array.from(text)
  const part = (from: number, to: number): string => characters.slice(from, to).join('')
  let at = 0
  const parts = places.flatMap((place) => {
    const before = part(at, place.start)
    at = place.end
    return [before, mark(place, part(place.start, place.end))]
  })
  return (
    <p class="marked">
      {parts}
      {part(at, characters.length)}
    </p>
  )
}

/** Colours of types, in the order in which they appear. */
const COLOURS = 6

/** The passage of a question, with its answer marked. */
export function Passage({ text, answer }: { readonly text: string; readonly answer: SpanAnswer }) {
  const { t } = useSession()
  if (answer.answer === '') return <p>{t('noAnswer')}</p>
  return (
    <>
      <p class="big-answer">
        {answer.answer} <small class="muted">{answer.probability.toFixed(6)}</small>
      </p>
      <Marked text={text} places={[answer]} mark={(_, inner) => <mark>{inner}</mark>} />
    </>
  )
}

/** A text with its tagged spans, and the tag of each token. */
export function Tagged({ text, answer: { spans, tokens } }: { readonly text: string; readonly answer: TagAnswer }) {
  const { t } = useSession()
  const places =
    spans?.map(({ type, start, end, probability }) => ({ name: type, start, end, probability })) ??
    tokens.map(({ tag, start, end, probability }) => ({ name: tag, start, end, probability }))
  const names = [...new Set(places.map(({ name }) => name))]
  return (
    <>
      <Marked
        text={text}
        places={places}
        mark={({ name, probability }, inner) => (
          <mark class={`tag tag-${(names.indexOf(name) % COLOURS) + 1}`} title={probability.toFixed(6)}>
            {inner} <small>{name}</small>
          </mark>
        )}
      />
      <details class="token-tags">
        <summary>{t('tokenTags')}</summary>
        <Table
          caption={t('tokenTags')}
          rows={tokens}
          columns={[
            { title: t('tokens'), cell: ({ token }) => token },
            { title: t('result'), cell: ({ tag }) => tag },
            { title: t('probability'), cell: ({ probability }) => probability.toFixed(6), numeric: true },
          ]}
        />
      </details>
    </>
  )
}
