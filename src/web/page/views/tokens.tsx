import { useState } from 'preact/hooks'
import type { TokenizedLine } from '../../../api/tokenize/report.js'
import { useJob } from '../job.js'
import { Card, Failure } from '../parts/feedback.js'
import { useSession, type Model } from '../session.js'

/** Tokens of a text with their ids: `tokenize`. */
export function Tokens({ model }: { readonly model: Model }) {
  const { t, n, kit } = useSession()
  const [text, setText] = useState('央行下调存款准备金率 ALBERT 2019')
  const [special, setSpecial] = useState(true)
  const job = useJob<TokenizedLine[]>()
  const [line] = job.result ?? []
  return (
    <>
      <form
        class="controls"
        onSubmit={(event) => {
          event.preventDefault()
          job.run(({ signal }) => kit.tokenizeTexts(model.path, [text], { special, signal }))
        }}
      >
        <label class="field">
          {t('text')}
          <textarea
            rows={3}
            value={text}
            onInput={({ currentTarget }) => {
              setText(currentTarget.value)
            }}
          />
        </label>
        <div class="row">
          <label class="chip">
            <input
              type="checkbox"
              checked={special}
              onChange={({ currentTarget }) => {
                setSpecial(currentTarget.checked)
              }}
            />
            {t('special')}
          </label>
          <button type="submit">{t('tokenize')}</button>
        </div>
      </form>
      <Failure error={job.error} />
      {line !== undefined && (
        <Card title={t('tokenCount', { n: n(line.tokens.length) })}>
          <ol class="tokens">
            {line.tokens.map((token, i) => (
              <li key={i} class={line.offsets[i] === null ? 'special' : undefined}>
                <span>{token}</span>
                <small>{line.ids[i]}</small>
              </li>
            ))}
          </ol>
        </Card>
      )}
    </>
  )
}
