import { describe, expect, it } from 'vitest'
import { passageWindows } from '../../../src/text/data/passages.js'
import type { Token, Tokenizer } from '../../../src/text/tokenizers/tokenizer.js'

/** One token a word; the id of `w7` is 7. */
const encode = (text: string): Token[] => {
  let start = 0
  return text.split(' ').map((token) => {
    const own = { token, id: Number(token.slice(1)), start, end: start + token.length }
    start = own.end + 1
    return own
  })
}
const tokenizer = {
  special: { cls: 101, sep: 102, pad: 0, unk: 100, mask: null },
  encode,
  ids: (text: string) => encode(text).map(({ id }) => id),
} as unknown as Tokenizer

describe('windows of a passage', () => {
  const passage = encode(Array.from({ length: 10 }, (_, i) => `w${i}`).join(' '))

  it('overlap, and hold every token; the last one may be short', () => {
    const windows = passageWindows(tokenizer, 'w7 w8', passage, { maxLength: 9, docStride: 3 })
    expect(windows.map(({ first, count }) => [first, count])).toEqual([
      [0, 4],
      [3, 4],
      [6, 4],
    ])
    const [, second] = windows
    expect(second!.at).toBe(4)
    expect(second!.features.input_ids).toEqual([101, 7, 8, 102, 3, 4, 5, 6, 102])
    expect(second!.features.token_type_ids).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 1])
  })

  it('leave nothing out if the stride is longer than a window', () => {
    const windows = passageWindows(tokenizer, 'w7', passage, { maxLength: 8, docStride: 100 })
    expect(windows.map(({ first, count }) => [first, count])).toEqual([
      [0, 4],
      [4, 4],
      [8, 2],
    ])
  })

  it('are none if the question leaves no room, and cut a long question', () => {
    expect(passageWindows(tokenizer, 'w1 w2', passage, { maxLength: 5 })).toEqual([])
    const question = Array.from({ length: 80 }, () => 'w1').join(' ')
    const [only] = passageWindows(tokenizer, question, passage, { maxLength: 384 })
    expect(only!.at).toBe(1 + 64 + 1)
  })
})
