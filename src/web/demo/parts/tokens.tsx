import type { TextReading } from '../../../api/page/report.js'
import { Card } from '../../page/parts/feedback.js'
import { useSession } from '../../page/session.js'

/** Tokens of the input with their ids and the characters that they come from. */
export function TokenList({ reading: { tokens, isCut } }: { readonly reading: TextReading }) {
  const { t, n } = useSession()
  return (
    <Card title={t('inputTokens', { n: n(tokens.length) })}>
      {isCut && <p class="notice">{t('cut', { n: n(tokens.length) })}</p>}
      <ol class="tokens">
        {tokens.map(({ token, id, segment, offset }, i) => (
          <li key={i} class={[offset === null ? 'special' : '', segment === 1 ? 'second' : ''].join(' ').trim()}>
            <span>{token}</span>
            <small>{id}</small>
            <small>{offset === null ? '–' : `${offset[0]}–${offset[1]}`}</small>
          </li>
        ))}
      </ol>
    </Card>
  )
}
