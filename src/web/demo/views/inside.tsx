import { useState } from 'preact/hooks'
import type { TextLayers } from '../../../api/page/report.js'
import { useJob } from '../../page/job.js'
import { Card, Failure, Progress } from '../../page/parts/feedback.js'
import { measured, useSession } from '../../page/session.js'
import type { Opened } from '../app.js'
import { Attention } from '../parts/attention.js'
import { Bars } from '../parts/bars.js'

/** What each layer changes: similarity of its input and its output. */
function Layers({ layers }: Pick<TextLayers, 'layers'>) {
  const { t } = useSession()
  return (
    <Card title={t('layerChange')} hint={t('layerHint')}>
      <Bars
        label={t('layerChange')}
        items={layers.map(({ layer, cosine, l2 }) => ({
          name: `${t('layer', { n: layer })} · ${t('distance')} ${measured(l2)}`,
          value: cosine,
        }))}
      />
    </Card>
  )
}

/** Layers and attention heads of one text, in the float64 reference. */
export function Inside({ opened: { path, report } }: { readonly opened: Opened }) {
  const { kit, t, n } = useSession()
  const [text, setText] = useState(report.examples[0] ?? '')
  const job = useJob<TextLayers>()
  const { result } = job
  return (
    <>
      <form
        class="controls"
        onSubmit={(event) => {
          event.preventDefault()
          job.run((options) => kit.textLayers(path, { text }, options))
        }}
      >
        <label class="field">
          {t('yourText')}
          <textarea
            rows={2}
            value={text}
            spellcheck={false}
            onInput={({ currentTarget }) => {
              setText(currentTarget.value)
            }}
          />
        </label>
        <div class="row">
          <button type="submit" disabled={text.trim() === ''}>
            {t('look')}
          </button>
          <small class="muted">{t('lookHint')}</small>
        </div>
      </form>
      <Progress job={job} />
      <Failure error={job.error} />
      {result !== null && (
        <>
          {result.isCut && <p class="notice">{t('cut', { n: n(result.tokens.length) })}</p>}
          <Layers layers={result.layers} />
          <Attention result={result} />
        </>
      )}
    </>
  )
}
