import type { ClassAnswer, TextAnswer, TextRequest, VectorAnswer } from '../../../api/page/report.js'
import { useState } from 'preact/hooks'
import { useSession } from '../../page/session.js'
import { Bars } from './bars.js'
import { Passage, Tagged } from './highlights.js'

/** Classes that are shown at first. */
const FIRST = 10

function Classes({ answer }: { readonly answer: ClassAnswer }) {
  const { t, n } = useSession()
  const [all, setAll] = useState(false)
  const { labels, probabilities, reading } = answer
  if (reading === 'value')
    return (
      <dl class="facts">
        {labels.map((label, i) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{probabilities[i]!.toPrecision(6)}</dd>
          </div>
        ))}
      </dl>
    )
  const sorted = labels
    .map((name, i) => ({ name, value: probabilities[i]! }))
    .sort((a, b) => b.value - a.value)
    .map((item, i) => ({ ...item, isFirst: reading === 'softmax' ? i === 0 : item.value >= 0.5 }))
  return (
    <>
      <Bars label={t('probability')} items={all ? sorted : sorted.slice(0, FIRST)} />
      {sorted.length > FIRST && !all && (
        <button
          type="button"
          class="quiet"
          onClick={() => {
            setAll(true)
          }}
        >
          {t('showAll', { n: n(sorted.length) })}
        </button>
      )}
    </>
  )
}

function Vectors({ answer: { texts, cosines, steps, size } }: { readonly answer: VectorAnswer }) {
  const { t, n } = useSession()
  return (
    <>
      <div class="scroll" tabIndex={0} role="region" aria-label={t('cosine')}>
        <table class="heat">
          <thead>
            <tr>
              <th scope="col">{t('cosine')}</th>
              {texts.map((text, i) => (
                <th key={i} scope="col" class="number" title={text}>
                  {i + 1}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {cosines.map((row, i) => (
              <tr key={i}>
                <th scope="row">
                  {i + 1} · {texts[i]}
                </th>
                {row.map((value, j) => (
                  <td key={j} class="number" style={{ '--part': `${(100 * Math.max(0, value)).toFixed(0)}%` }}>
                    {value.toFixed(3)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="muted">
        {[steps.length > 0 ? t('steps', { steps: steps.join(' → ') }) : '', t('vectorSize', { n: n(size) })]
          .filter((text) => text !== '')
          .join(' · ')}
      </p>
    </>
  )
}

/** The answer of a model, by its kind. */
export function AnswerView({ answer, texts }: { readonly answer: TextAnswer; readonly texts: TextRequest }) {
  const { t } = useSession()
  switch (answer.kind) {
    case 'classes':
      return <Classes answer={answer} />
    case 'tags':
      return <Tagged text={texts.text} answer={answer} />
    case 'span':
      return <Passage text={texts.textB ?? ''} answer={answer} />
    case 'masks':
      return (
        <>
          {answer.masks.map(({ position, candidates }, i) => (
            <div key={position} class="mask">
              {answer.masks.length > 1 && <h4>{t('maskAt', { n: i + 1 })}</h4>}
              <Bars
                label={t('maskAt', { n: i + 1 })}
                items={candidates.map(({ token, probability }, k) => ({
                  name: token,
                  value: probability,
                  isFirst: k === 0,
                }))}
              />
            </div>
          ))}
        </>
      )
    case 'order': {
      const { inOrder, swapped } = answer.probabilities
      const items = [
        { name: t('inOrder'), value: inOrder, isFirst: answer.inOrder },
        { name: t('swapped'), value: swapped, isFirst: !answer.inOrder },
      ]
      return <Bars label={t('probability')} items={items} />
    }
    case 'vectors':
      return <Vectors answer={answer} />
  }
}
