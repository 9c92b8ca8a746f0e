import type { Part, PartCounts } from '../../../model/accounting/count.js'
import { short, useSession } from '../session.js'
import type { TextName } from '../texts.js'

const PARTS: readonly (readonly [part: Part, name: TextName])[] = [
  ['embeddings', 'partEmbeddings'],
  ['attention', 'partAttention'],
  ['ffn', 'partFfn'],
  ['norms', 'partNorms'],
  ['pooler', 'partPooler'],
  ['heads', 'partHeads'],
]

/** Parameters of one model. */
export interface Bar {
  readonly name: string
  readonly parts: PartCounts
  readonly total: number
}

/** Models as bars of their parts, on one scale. */
export function PartBars({ bars, label }: { readonly bars: readonly Bar[]; readonly label: string }) {
  const { t, n } = useSession()
  const widest = Math.max(1, ...bars.map(({ total }) => total))
  return (
    <figure class="bars" aria-label={label}>
      {bars.map(({ name, parts, total }) => (
        <div key={name} class="bar">
          {bars.length > 1 && (
            <div class="bar-name">
              <span>{name}</span>
              <strong>{short(total)}</strong>
            </div>
          )}
          <svg viewBox="0 0 1000 24" preserveAspectRatio="none" role="img" aria-label={`${name}: ${n(total)}`}>
            {offsets(parts, widest).map(({ part, x, width }) => (
              <rect key={part} class={`part-${part}`} x={x} y="0" width={width} height="24">
                <title>{`${part}: ${n(parts[part])}`}</title>
              </rect>
            ))}
          </svg>
        </div>
      ))}
      <figcaption class="legend">
        {PARTS.filter(([part]) => bars.some(({ parts }) => parts[part] > 0)).map(([part, name]) => (
          <span key={part}>
            <i class={`swatch part-${part}`} aria-hidden="true" /> {t(name)}
            {bars.length === 1 && <span class="muted"> {short(bars[0]!.parts[part])}</span>}
          </span>
        ))}
      </figcaption>
    </figure>
  )
}

function offsets(parts: PartCounts, widest: number): { part: Part; x: number; width: number }[] {
  let x = 0
  return PARTS.map(([part]) => {
    const width = (1000 * parts[part]) / widest
    const at = { part, x, width: Math.max(0, width - (width > 4 ? 2 : 0)) }
    x += width
    return at
  })
}

/** Values that fall, largest first, as a line on a logarithmic scale. */
export function Spectrum({ values, label }: { readonly values: readonly number[]; readonly label: string }) {
  const positive = values.filter((value) => value > 0)
  const [most = 1] = positive
  const least = positive.at(-1) ?? 1
  const span = Math.max(1e-9, Math.log(most) - Math.log(least))
  const points = positive.map((value, i) => {
    const x = positive.length > 1 ? (600 * i) / (positive.length - 1) : 0
    return `${x.toFixed(1)},${(110 - (100 * (Math.log(value) - Math.log(least))) / span).toFixed(1)}`
  })
  return (
    <figure class="spectrum">
      <svg viewBox="0 0 600 120" preserveAspectRatio="none" role="img" aria-label={label}>
        <polyline points={points.join(' ')} fill="none" vector-effect="non-scaling-stroke" />
      </svg>
      <figcaption class="legend">
        <span class="muted">{most.toPrecision(3)}</span>
        <span class="muted">{least.toPrecision(3)}</span>
      </figcaption>
    </figure>
  )
}
