import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Kit } from '../kit/kit.js'
import type { InspectReport } from '../../api/inspect/report.js'
import { fill, LANGUAGES, type Language, type TextName } from './texts.js'

/** An open model: its path in the kit, and what it is. */
export interface Model {
  readonly path: string
  readonly report: InspectReport
}

/** What every part of the page knows. */
export interface Session {
  readonly kit: Kit
  readonly language: Language
  readonly models: readonly Model[]
  /** Text of the page's language. */
  readonly t: (name: TextName, values?: Readonly<Record<string, string | number>>) => string
  /** A number with separators. */
  readonly n: (value: number) => string
  /** A number of bytes, rounded. */
  readonly size: (bytes: number) => string
  readonly open: () => void
}

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'] as const

function sizeText(bytes: number): string {
  let value = bytes
  let unit = 0
  for (; value >= 1000 && unit < UNITS.length - 1; unit++) value /= 1000
  return `${unit === 0 ? value : value.toPrecision(3)} ${UNITS[unit] ?? ''}`
}

/** A number that may be large, short: `4.70 M`, `1.20 G`. */
export function short(value: number): string {
  const at = value >= 1e12 ? 'T' : value >= 1e9 ? 'G' : value >= 1e6 ? 'M' : value >= 1e3 ? 'k' : ''
  const by = { T: 1e12, G: 1e9, M: 1e6, k: 1e3, '': 1 }[at]
  return at === '' ? String(value) : `${(value / by).toPrecision(3)} ${at}`
}

/** A measured value: three significant digits, or a power of ten if it is small. */
export const measured = (value: number | null): string =>
  value === null ? '–' : value === 0 ? '0' : Math.abs(value) < 1e-3 ? value.toExponential(2) : value.toPrecision(3)

export const makeSession = (parts: Pick<Session, 'kit' | 'language' | 'models' | 'open'>): Session => {
  const format = new Intl.NumberFormat(parts.language === 'zh' ? 'zh-CN' : 'en')
  return {
    ...parts,
    t: (name, values) => fill(LANGUAGES[parts.language][name], values),
    n: (value) => format.format(value),
    size: sizeText,
  }
}

export const SessionContext = createContext<Session | null>(null)

export function useSession(): Session {
  const session = useContext(SessionContext)
  if (session === null) throw new Error('there is no session')
  return session
}
