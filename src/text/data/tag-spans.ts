import { OUTSIDE, readSpanTag, type SpanTag } from '../../base/span-tag.js'

/** A span of words `[first, last]`, and its type. */
export interface TagSpan {
  readonly type: string
  readonly first: number
  readonly last: number
}

const endsAt = (before: SpanTag, tag: SpanTag): boolean =>
  before.position !== 'O' &&
  (before.position === 'E' ||
    before.position === 'S' ||
    tag.position === 'B' ||
    tag.position === 'S' ||
    tag.position === 'O' ||
    before.type !== tag.type)

const beginsAt = (before: SpanTag, tag: SpanTag): boolean =>
  tag.position !== 'O' &&
  (tag.position === 'B' ||
    tag.position === 'S' ||
    before.position === 'E' ||
    before.position === 'S' ||
    before.position === 'O' ||
    before.type !== tag.type)

/**
 * Spans of a sequence of tags, by the rules of conlleval, which seqeval follows too: a span that begins with `I-`, or
 * changes its type, counts.
 */
export function spansOf(tags: readonly string[]): TagSpan[] {
  const spans: TagSpan[] = []
  let before = OUTSIDE
  let first = 0
  for (const [i, name] of [...tags, 'O'].entries()) {
    const tag = readSpanTag(name)
    if (endsAt(before, tag)) spans.push({ type: before.type, first, last: i - 1 })
    if (beginsAt(before, tag)) first = i
    before = tag
  }
  return spans
}
