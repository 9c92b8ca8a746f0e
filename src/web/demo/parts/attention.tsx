import { useMemo, useState } from 'preact/hooks'
import type { AttentionOfLayer, TextLayers } from '../../../api/page/report.js'
import { Card } from '../../page/parts/feedback.js'
import { useSession } from '../../page/session.js'

/** Probabilities of a head as a picture whose opacity they are: its colour is that of the theme. */
function pictureOf(probabilities: Float32Array, size: number): string {
  const canvas = document.createElement('canvas')
  canvas.width = size
  canvas.height = size
  const context = canvas.getContext('2d')
  if (context === null) return ''
  const image = context.createImageData(size, size)
  // Most are small: their root tells them apart.
  probabilities.forEach((p, i) => {
    image.data[4 * i + 3] = Math.round(255 * Math.sqrt(p))
  })
  context.putImageData(image, 0, 0)
  return canvas.toDataURL()
}

interface HeadOfLayer {
  readonly head: number
  readonly entropy: number
  readonly probabilities: Float32Array
}

/** The heads of an inner layer. */
function headsOf({ tokens, heads }: TextLayers, { layer, inner, probabilities }: AttentionOfLayer): HeadOfLayer[] {
  const size = tokens.length ** 2
  return heads
    .filter((one) => one.layer === layer && one.inner === inner)
    .map(({ head, entropy }) => ({
      head,
      entropy,
      probabilities: probabilities.subarray(head * size, (head + 1) * size),
    }))
}

interface HeadsProps {
  readonly heads: readonly HeadOfLayer[]
  readonly size: number
  readonly chosen: number
  readonly choose: (head: number) => void
}

/** The heads as pictures, of which one is chosen. */
function Heads({ heads, size, chosen, choose }: HeadsProps) {
  const { t } = useSession()
  const pictures = useMemo(() => heads.map(({ probabilities }) => pictureOf(probabilities, size)), [heads, size])
  return (
    <div class="heads" role="group" aria-label={t('attention')}>
      {heads.map(({ head, entropy }, i) => (
        <button
          key={head}
          type="button"
          class="head"
          aria-pressed={head === chosen}
          onClick={() => {
            choose(head)
          }}
        >
          <span class="head-picture" aria-hidden="true" style={{ maskImage: `url(${pictures[i] ?? ''})` }} />
          <span>{t('head', { n: head })}</span>
          <small class="muted">{t('entropy', { n: entropy.toFixed(2) })}</small>
        </button>
      ))}
    </div>
  )
}

/** Tokens of the text, one of which is chosen, shaded by how much it takes from each. */
function Gaze({ result, head }: { readonly result: TextLayers; readonly head: HeadOfLayer }) {
  const { t } = useSession()
  const [from, setFrom] = useState<number | null>(null)
  const { tokens } = result
  const size = tokens.length
  const row = from === null ? null : head.probabilities.subarray(from * size, (from + 1) * size)
  return (
    <>
      <h4>{from === null ? t('chooseToken') : t('looksAt', { token: tokens[from]?.token ?? '', n: head.head })}</h4>
      <div class="gaze" role="group" aria-label={t('chooseToken')}>
        {tokens.map(({ token }, i) => (
          <button
            key={i}
            type="button"
            aria-pressed={i === from}
            style={{ '--part': `${(100 * (row?.[i] ?? 0)).toFixed(1)}%` }}
            onClick={() => {
              setFrom(i)
            }}
          >
            {token}
            <small>{row === null ? '' : `${(100 * row[i]!).toFixed(0)} %`}</small>
          </button>
        ))}
      </div>
    </>
  )
}

/** Attention of a text: the heads of a layer, and where a token looks in one of them. */
export function Attention({ result }: { readonly result: TextLayers }) {
  const { t } = useSession()
  const [at, setAt] = useState(0)
  const [chosen, setChosen] = useState(0)
  const layer = result.attention[Math.min(at, result.attention.length - 1)]
  const heads = useMemo(() => (layer === undefined ? [] : headsOf(result, layer)), [result, layer])
  const head = heads[chosen] ?? heads[0]
  if (head === undefined) return null
  const hasInner = result.attention.some(({ inner }) => inner > 0)
  return (
    <Card title={t('attention')} hint={t('attentionHint')}>
      <label class="field inline">
        {t('chooseLayer')}
        <select
          value={at}
          onChange={({ currentTarget }) => {
            setAt(Number(currentTarget.value))
          }}
        >
          {result.attention.map(({ layer: n, inner }, i) => (
            <option key={i} value={i}>
              {t(hasInner ? 'innerLayer' : 'layer', { n, inner })}
            </option>
          ))}
        </select>
      </label>
      <Heads heads={heads} size={result.tokens.length} chosen={head.head} choose={setChosen} />
      <Gaze result={result} head={head} />
    </Card>
  )
}
