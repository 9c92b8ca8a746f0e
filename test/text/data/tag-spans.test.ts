import { describe, expect, it } from 'vitest'
import { areSpanTags } from '../../../src/base/span-tag.js'
import { spansOf } from '../../../src/text/data/tag-spans.js'

const short = (tags: string): string =>
  spansOf(tags.split(' '))
    .map(({ type, first, last }) => `${type}:${first}-${last}`)
    .join(' ')

describe('spans of tags', () => {
  it.each([
    ['B-PER I-PER O B-LOC', 'PER:0-1 LOC:3-3'],
    ['B-PER B-PER I-PER', 'PER:0-0 PER:1-2'],
    // conlleval counts a span that begins with I-, or changes its type.
    ['I-PER I-LOC O I-LOC', 'PER:0-0 LOC:1-1 LOC:3-3'],
    ['B-PER I-LOC', 'PER:0-0 LOC:1-1'],
    ['S-LOC S-LOC B-PER M-PER E-PER E-PER', 'LOC:0-0 LOC:1-1 PER:2-4 PER:5-5'],
    ['U-LOC B-PER L-PER', 'LOC:0-0 PER:1-2'],
    ['O X [CLS]', ''],
    ['B-A-B I-A-B', 'A-B:0-1'],
  ])('%s', (tags, spans) => {
    expect(short(tags)).toBe(spans)
  })

  it('are wanted of classes that are tags only', () => {
    expect(areSpanTags(['O', 'B-PER', 'I-PER'])).toBe(true)
    expect(areSpanTags(['0', 'O', 'I-PER'])).toBe(true)
    expect(areSpanTags(['B-PER', 'I-PER'])).toBe(false)
    expect(areSpanTags(['NOUN', 'VERB', 'O'])).toBe(false)
    expect(areSpanTags(['S-class', 'E-class', 'other'])).toBe(false)
  })
})
