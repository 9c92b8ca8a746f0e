import { join } from 'node:path'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { makeFeatures } from '../../../src/text/data/features.js'
import { loadTokenizer } from '../../../src/api/tokenize/load-tokenizer.js'
import { alignedOf } from '../../../src/text/tokenizers/aligned.js'
import { SentencePieceTokenizer } from '../../../src/text/tokenizers/sentencepiece.js'
import type { Token, Tokenizer } from '../../../src/text/tokenizers/tokenizer.js'
import { WordPieceTokenizer } from '../../../src/text/tokenizers/wordpiece.js'
import { describeShared, SHARED, ZH_NEWS } from '../../helpers/shared.js'

// Text that is too long to be looked at as a whole gives what looking at the whole gives.

/** Tokens of a text that is looked at as a whole. */
const tokensOf = (tokenizer: Tokenizer, text: string): Token[] => {
  if (tokenizer instanceof WordPieceTokenizer || tokenizer instanceof SentencePieceTokenizer)
    return tokenizer.encodeAligned(alignedOf(text))
  throw new Error(`${tokenizer.file} is read by another tokenizer`)
}
const whole = (tokenizer: Tokenizer, text: string): number[] => tokensOf(tokenizer, text).map(({ id }) => id)

/** What is quadratic in the length of a line takes minutes for these, and ends at this. */
const LINEAR = { timeout: 60_000 }

describe('long words', () => {
  const part = fc.constantFrom(
    'x'.repeat(300),
    'ab',
    '+',
    '/',
    '。',
    '≠',
    '\u0338',
    'É',
    'Σ',
    'ΑΣ',
    '’',
    'ABC',
    '９',
    '한국',
    'ｘ',
    '\u037e',
    '_',
    '\0',
    ' ',
    '\u0301',
  )
  const words = fc.array(part, { minLength: 200, maxLength: 900 }).map((parts) => parts.join(''))

  it.each([true, false])('are split as others are (lower case: %s)', (lowerCase) => {
    const tokenizer = loadTokenizer(ZH_NEWS, { lowerCase })
    fc.assert(
      fc.property(words, fc.nat(300), (text, limit) => {
        const ids = whole(tokenizer, text)
        expect(tokenizer.ids(text)).toEqual(ids)
        expect(tokenizer.encode(text)).toEqual(tokensOf(tokenizer, text))
        expect(tokenizer.ids(text, limit).slice(0, limit)).toEqual(ids.slice(0, limit))
      }),
      { numRuns: 40 },
    )
  })

  it('of ten megabytes are cut off, not looked at as a whole', LINEAR, () => {
    const tokenizer = loadTokenizer(ZH_NEWS)
    const base64 = 'QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo/+'.repeat(270_000)
    expect(makeFeatures(tokenizer, base64, null, 128).input_ids).toHaveLength(128)
    expect(makeFeatures(tokenizer, 'x'.repeat(1e7), null, 128).input_ids).toHaveLength(3)
  })
})

describeShared('long text in SentencePiece', () => {
  let tokenizer: Tokenizer
  beforeAll(() => {
    tokenizer = loadTokenizer(join(SHARED, 'text/spiece.model'))
  })
  const part = fc.constantFrom(
    'the ',
    'model ',
    '1,000 ',
    'of',
    ' ',
    '  ',
    'ization',
    '你好',
    '\u3000',
    'É',
    '\t',
    'x',
    '99, ',
    'Σ ',
    '▁',
    '\u0301',
  )

  it('is cut off as if all of it were known', () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 400 }), fc.integer({ min: 0, max: 12 }), (parts, limit) => {
        const text = parts.join('')
        const ids = whole(tokenizer, text)
        expect(tokenizer.ids(text, limit).slice(0, limit)).toEqual(ids.slice(0, limit))
      }),
      { numRuns: 150 },
    )
  })

  it('takes time in proportion to its length, and none for what is cut off', LINEAR, () => {
    const words = 'the model reads text '
    expect(makeFeatures(tokenizer, words.repeat(500_000), null, 128).input_ids).toHaveLength(128)
    expect(tokenizer.encode(words.repeat(15_000)).length).toBeGreaterThan(60_000)
    // An unknown word of that length was too many arguments for a function.
    expect(tokenizer.encode('你'.repeat(300_000))).toHaveLength(2)
  })
})
