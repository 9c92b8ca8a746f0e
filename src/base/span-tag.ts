/**
 * Tags of spans, a position and a type: `B-PER` begins a span, `I-PER` (also `M-`) continues it, `E-` (`L-`) ends it,
 * `S-` (`U-`) is a span of one word; every other name, `O` above all, is outside of spans.
 */
export interface SpanTag {
  readonly position: 'B' | 'I' | 'E' | 'S' | 'O'
  readonly type: string
}

const TAG = /^([BIMESLU])[-_](.+)$/
const POSITIONS: Readonly<Record<string, SpanTag['position']>> = {
  B: 'B',
  I: 'I',
  M: 'I',
  E: 'E',
  L: 'E',
  S: 'S',
  U: 'S',
}
export const OUTSIDE: SpanTag = { position: 'O', type: '' }

/** Position and type of a tag. */
export function readSpanTag(name: string): SpanTag {
  const [, letter, type] = TAG.exec(name) ?? []
  return letter === undefined ? OUTSIDE : { position: POSITIONS[letter]!, type: type! }
}

/** True if names of classes are tags of spans: some begin or continue one, and others are of none. */
export function areSpanTags(names: readonly string[]): boolean {
  const positions = new Set(names.map((name) => readSpanTag(name).position))
  return positions.has('O') && (positions.has('B') || positions.has('I'))
}
