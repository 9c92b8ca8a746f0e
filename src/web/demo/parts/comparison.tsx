import type { TextAnswer } from '../../../api/page/report.js'
import { Table } from '../../page/parts/table.js'
import { measured, useSession } from '../../page/session.js'
import { farthest, keyOf, type Outcome } from '../readings.js'
import { nameOf } from './runnables.js'

/** The answer in a few words, by which two runtimes agree or not. */
export function shortAnswer(answer: TextAnswer): string {
  switch (answer.kind) {
    case 'classes':
      if (answer.reading === 'value') return answer.probabilities.map((value) => value.toPrecision(4)).join(', ')
      if (answer.reading === 'softmax') return answer.label
      return answer.labels.filter((_, i) => answer.probabilities[i]! >= 0.5).join(', ') || '–'
    case 'tags':
      if (answer.spans === null || answer.spans.length === 0) return answer.tokens.map(({ tag }) => tag).join(' ')
      return answer.spans.map(({ type, text }) => `${text} (${type})`).join(', ')
    case 'span':
      return answer.answer || '–'
    case 'masks':
      return answer.masks.map(({ candidates }) => candidates[0]?.token ?? '').join(' ')
    case 'order':
      return answer.inOrder ? '1 → 2' : '2 → 1'
    case 'vectors': {
      const others = answer.cosines[0]?.slice(1) ?? []
      return others.length === 0 ? '–' : others.map((value) => value.toFixed(3)).join(', ')
    }
  }
}

/** Largest difference between any two of several outputs. */
function spread(outcomes: readonly Outcome[]): number | null {
  const values = outcomes.flatMap(({ reading }) => (reading === null ? [] : [reading.values]))
  const differences = values.flatMap((a, i) => values.slice(i + 1).flatMap((b) => farthest(a, b) ?? []))
  return differences.length === 0 ? null : Math.max(...differences)
}

/** Times in milliseconds, with as many digits as they deserve. */
const timeText = (milliseconds: number): string =>
  milliseconds >= 100 ? `${Math.round(milliseconds)} ms` : `${milliseconds.toPrecision(2)} ms`

interface ComparisonProps {
  readonly outcomes: readonly Outcome[]
  /** The one that the others are compared with. */
  readonly main: Outcome
}

/** Runtimes side by side: times, answers, and the largest difference of their outputs. */
export function Comparison({ outcomes, main }: ComparisonProps) {
  const { t } = useSession()
  // Those that answered the same text.
  const same = outcomes.filter(({ request }) => request === main.request)
  const most = spread(same)
  const answers = new Set(same.flatMap(({ reading }) => (reading === null ? [] : [shortAnswer(reading.answer)])))
  const difference = (outcome: Outcome): string => {
    if (outcome === main) return t('first')
    if (outcome.reading === null || main.reading === null || outcome.request !== main.request) return '…'
    return measured(farthest(outcome.reading.values, main.reading.values))
  }
  return (
    <div class="comparison">
      <Table
        caption={t('runtimes')}
        rows={outcomes}
        columns={[
          {
            title: t('runtime'),
            cell: ({ runnable, reading, error }) => (
              <>
                <strong>{nameOf(runnable)}</strong>
                <br />
                <small class="muted">{error === null ? reading?.detail : `${t('notThere')}: ${error.message}`}</small>
              </>
            ),
          },
          { title: t('result'), cell: ({ reading }) => (reading === null ? '–' : shortAnswer(reading.answer)) },
          {
            title: t('run'),
            cell: ({ reading }) => (reading === null ? '–' : timeText(reading.milliseconds)),
            numeric: true,
          },
          {
            title: t('opened'),
            cell: ({ reading, openMilliseconds }) => (reading === null ? '–' : timeText(openMilliseconds)),
            numeric: true,
          },
          { title: t('farthest'), cell: difference, numeric: true },
        ]}
      />
      {most !== null && (
        <p
          class={answers.size === 1 ? 'verdict good' : 'verdict bad'}
          data-difference={most}
          key={keyOf(main.runnable)}
        >
          {t(answers.size === 1 ? 'sameAnswer' : 'otherAnswer')} {t('between', { n: measured(most) })}
        </p>
      )}
    </div>
  )
}
