import { describe, expect, it } from 'vitest'
import { memoryFiles } from '../../../src/files/memory.js'
import { makeFeatures } from '../../../src/text/data/features.js'
import { loadTokenizer } from '../../../src/text/tokenizers/load.js'
import type { Tokenizer } from '../../../src/text/tokenizers/tokenizer.js'

/** Rules of transformers and its tokenizers library; every number is that of transformers 4.57 and tokenizers 0.22. */

// prettier-ignore
const VOCABULARY = [
  '[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'the', 'cat', 'a', 'b', 'c',
  'd', 'e', 'zz', '.', ',', '[', ']', 'mask', '今', '天',
]

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** BertTokenizer with these settings. */
const slow = (settings: object): Tokenizer =>
  loadTokenizer(
    memoryFiles([
      ['/model/vocab.txt', bytes(`${VOCABULARY.join('\n')}\n`)],
      ['/model/tokenizer_config.json', bytes(JSON.stringify({ tokenizer_class: 'BertTokenizer', ...settings }))],
    ]),
    '/model',
  )

const FRAME = {
  post_processor: { type: 'BertProcessing', cls: ['[CLS]', 2], sep: ['[SEP]', 3] },
}

/** A `tokenizer.json` over the vocabulary. */
function fast(parts: object): Tokenizer {
  const model = {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(VOCABULARY.map((token, id) => [token, id])),
  }
  const whole = { version: '1.0', added_tokens: [], normalizer: null, pre_tokenizer: null, model, ...parts }
  return loadTokenizer(memoryFiles([['/tokenizer.json', bytes(JSON.stringify(whole))]]), '/tokenizer.json')
}

const ids = (tokenizer: Tokenizer, texts: readonly string[]): (readonly number[])[] =>
  texts.map((text) => {
    expect(tokenizer.encode(text).map(({ id }) => id)).toEqual(tokenizer.ids(text))
    return makeFeatures(tokenizer, text, null, Infinity).input_ids
  })
const tokens = (tokenizer: Tokenizer, text: string): string[] => tokenizer.encode(text).map(({ token }) => token)

describe('special tokens in a text of BertTokenizer', () => {
  it('stay whole where they stand apart, with `split_special_tokens` too', () => {
    const texts = ['[SEP]', 'the [MASK] cat', 'a[MASK]', '[mask]', '今[SEP]天']
    expect(ids(slow({ split_special_tokens: true }), texts)).toEqual([
      [2, 3, 3],
      [2, 5, 4, 6, 3],
      [2, 7, 15, 17, 16, 3],
      [2, 15, 17, 16, 3],
      [2, 18, 3, 19, 3],
    ])
  })

  it('stay whole in what an added token of single words gives back', () => {
    const added = {
      content: '今天',
      single_word: true,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: false,
    }
    const tokenizer = slow({ added_tokens_decoder: { 20: added } })
    expect(ids(tokenizer, ['今天[SEP] a', '今天 a', 'b今天'])).toEqual([
      [2, 18, 19, 3, 7, 3],
      [2, 20, 7, 3],
      [2, 8, 18, 19, 3],
    ])
  })

  it('are those of `extra_special_tokens`, too', () => {
    const tokenizer = slow({ extra_special_tokens: { x_token: '<x>', y_token: 'the cat' } })
    expect(ids(tokenizer, ['a <x> b', 'the cat', 'THE CAT <X>'])).toEqual([
      [2, 7, 20, 8, 3],
      [2, 21, 3],
      [2, 21, 20, 3],
    ])
    expect(ids(slow({ extra_special_tokens: ['<x>'] }), ['a <x> b'])).toEqual([[2, 7, 20, 8, 3]])
  })
})

describe('text that is too long', () => {
  const cut = (tokenizer: Tokenizer, a: string, b: string | null, length: number): readonly number[] =>
    makeFeatures(tokenizer, a, b, length).input_ids

  it('loses its start if `truncation_side` is left', () => {
    const tokenizer = slow({ truncation_side: 'left' })
    expect(cut(tokenizer, 'the a b c d e', null, 6)).toEqual([2, 8, 9, 10, 11, 3])
    expect(cut(tokenizer, 'the cat a', 'b c d e zz', 6)).toEqual([2, 6, 7, 3, 12, 3])
    expect(makeFeatures(tokenizer, 'the a', null, 4).isCut).toBeUndefined()
  })

  // prettier-ignore
  const PAIRS = [
    ['the a b', 'c d e zz'], ['c d e zz', 'the a b'], ['a b c', 'd e the'], ['a', 'b c d e zz the'], ['a b c d e zz', 'the'],
  ] as const
  const LONGEST = 8

  it('of two texts leaves the odd token to the first, or in the tokenizers library to the longer', () => {
    const bert = { normalizer: { type: 'BertNormalizer' }, pre_tokenizer: { type: 'BertPreTokenizer' }, ...FRAME }
    expect(PAIRS.map(([a, b]) => cut(fast(bert), a, b, LONGEST))).toEqual([
      [2, 5, 7, 3, 9, 10, 11, 3],
      [2, 9, 10, 11, 3, 5, 7, 3],
      [2, 7, 8, 3, 10, 11, 5, 3],
      [2, 7, 3, 8, 9, 10, 11, 3],
      [2, 7, 8, 9, 10, 3, 5, 3],
    ])
    expect(PAIRS.map(([a, b]) => cut(slow({}), a, b, LONGEST))).toEqual([
      [2, 5, 7, 8, 3, 9, 10, 3],
      [2, 9, 10, 11, 3, 5, 7, 3],
      [2, 7, 8, 9, 3, 10, 11, 3],
      [2, 7, 3, 8, 9, 10, 11, 3],
      [2, 7, 8, 9, 10, 3, 5, 3],
    ])
  })
})

describe('patterns of a tokenizer.json', () => {
  const split = (Regex: string, behavior: string): Tokenizer =>
    fast({ pre_tokenizer: { type: 'Split', pattern: { Regex }, behavior, invert: false } })

  it('part a text where they match nothing, but not right behind a match', () => {
    const before = split('(?=[a-c])', 'Isolated')
    expect(['thecat', 'abc d', 'zz'].map((text) => tokens(before, text))).toEqual([
      ['the', 'c', '[UNK]'],
      ['a', 'b', '[UNK]'],
      ['zz'],
    ])
    const runs = split('z*', 'Removed')
    expect(['azzb', 'abc', 'zz'].map((text) => tokens(runs, text))).toEqual([['a', 'b'], ['a', 'b', 'c'], []])
  })

  it('give what replaces them the place of the last character, so that no mark goes before it', () => {
    const tokenizer = fast({
      normalizer: { type: 'Replace', pattern: { String: 'zzz' }, content: 'a' },
      pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: true },
    })
    const said = (text: string) => tokenizer.encode(text).map(({ token, start, end }) => [token, start, end])
    expect(['zzz b', 'a'].map(said)).toEqual([
      [
        ['a', 2, 3],
        ['[UNK]', 3, 5],
      ],
      [['[UNK]', 0, 1]],
    ])
  })
})
