import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { alignedOf } from '../../../src/text/tokenizers/aligned.js'
import { JsonTokenizer } from '../../../src/text/tokenizers/json-tokenizer.js'
import { PlainWords } from '../../../src/text/tokenizers/plain-words.js'
import { SentencePieceTokenizer } from '../../../src/text/tokenizers/sentencepiece.js'
import type { Piece, SpieceModel } from '../../../src/text/tokenizers/spiece-model.js'
import { parseTokenizerJson } from '../../../src/text/tokenizers/tokenizer-json.js'
import type { Tokenizer } from '../../../src/text/tokenizers/tokenizer.js'

// Texts whose words are remembered have the tokens that they have as a whole.

const SPECIAL: readonly Piece[] = [
  { piece: '<pad>', score: 0, kind: 'control' },
  { piece: '<unk>', score: 0, kind: 'unknown' },
  { piece: '[CLS]', score: 0, kind: 'control' },
  { piece: '[SEP]', score: 0, kind: 'control' },
]
/** Scores that are often equal, and sums that float32 cannot hold. */
const SCORES = [-0.1, -1 / 3, -2 / 3, -1, -0.43333333].map(Math.fround)
const piece = fc.tuple(fc.stringMatching(/^▁?[1a,é中]{1,3}$/), fc.constantFrom(...SCORES))
const vocabulary = fc
  .uniqueArray(piece, { selector: ([text]) => text, minLength: 3, maxLength: 24 })
  .map((pieces): readonly (readonly [string, number])[] => [['▁', -2], ...pieces])

const modelOf = (pieces: readonly (readonly [string, number])[]): SpieceModel => ({
  pieces: [...SPECIAL, ...pieces.map(([text, score]): Piece => ({ piece: text, score, kind: 'piece' }))],
  charsmap: new Uint8Array(),
  addDummyPrefix: true,
  removeExtraWhitespaces: true,
  escapeWhitespaces: true,
})

/** Words, and what must not be read word by word. */
const text = fc
  .array(fc.stringMatching(/^[1aAé中,]{1,9}$/), { minLength: 1, maxLength: 60 })
  .chain((words) =>
    fc
      .constantFrom(' ', '  ', ' \u0301', '\t', ' ゙')
      .map((odd) => words.map((w, i) => (i % 9 === 8 ? odd + w : w)).join(' ')),
  )
const idsOf = (tokens: readonly { readonly id: number }[]): number[] => tokens.map(({ id }) => id)

describe('words of SentencePiece', () => {
  it.each([
    ["Google's rules", { lowerCase: true }],
    ['no rules', { lowerCase: false, plain: true }],
    ['the rules of transformers', { lowerCase: true, albert: { removeSpace: true, keepAccents: false } }],
  ])('give the tokens of the whole text, ties included, by %s', (_, options) => {
    fc.assert(
      fc.property(vocabulary, text, fc.nat(20), (pieces, given, limit) => {
        const tokenizer = new SentencePieceTokenizer(modelOf(pieces), { file: 'spiece.model', ...options })
        const whole = tokenizer.encodeAligned(alignedOf(given))
        expect(tokenizer.encode(given)).toEqual(whole)
        expect(tokenizer.ids(given)).toEqual(idsOf(whole))
        expect(tokenizer.ids(given, limit).slice(0, limit)).toEqual(idsOf(whole).slice(0, limit))
      }),
      { numRuns: 300 },
    )
  })

  it('are segmented again if rounding may change their best path', () => {
    const tokenizer = new SentencePieceTokenizer(
      modelOf([
        ['▁', -2],
        ['▁1', -1 - 2 ** -20],
        ['1', -1],
        ['11', -1],
        ['▁11', -1],
        ['▁a', -(2 ** 20)],
      ]),
      { file: 'spiece.model', lowerCase: true },
    )
    const tokensOf = (given: string): string[] => tokenizer.encode(given).map(({ token }) => token)
    expect(tokensOf('111')).toEqual(['▁11', '1'])
    // Here float32 has no room for the difference, and the path found first stays.
    expect(tokensOf('a 111')).toEqual(['▁a', '▁1', '11'])
    expect(tokenizer.encode('a 111')).toEqual(tokenizer.encodeAligned(alignedOf('a 111')))
  })
})

describe('words of a tokenizer.json', () => {
  /** @param isWhole adds a step that changes nothing, and that nobody knows to leave words alone */
  const jsonOf = (pieces: readonly (readonly [string, number])[], scheme: string, isWhole: boolean): Tokenizer => {
    const steps = [
      { type: 'Replace', pattern: { String: "''" }, content: '"' },
      { type: 'NFKD' },
      { type: 'StripAccents' },
      { type: 'Lowercase' },
      { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' },
      ...(isWhole ? [{ type: 'Replace', pattern: { Regex: 'never' }, content: '' }] : []),
    ]
    const content = {
      version: '1.0',
      added_tokens: [{ id: 0, content: '<unk>', special: true, normalized: false }],
      normalizer: { type: 'Sequence', normalizers: steps },
      pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: scheme, split: true },
      model: { type: 'Unigram', unk_id: 0, vocab: [['<unk>', 0], ...pieces] },
    }
    const parsed = parseTokenizerJson(JSON.stringify(content), 'tokenizer.json')
    return new JsonTokenizer(parsed, { file: 'tokenizer.json', settings: null })
  }

  it.each(['always', 'first', 'never'])('give the tokens of the whole text, with marks put in front %s', (scheme) => {
    fc.assert(
      fc.property(vocabulary, text, (pieces, given) => {
        const whole = jsonOf(pieces, scheme, true).encode(given)
        const tokenizer = jsonOf(pieces, scheme, false)
        expect(tokenizer.encode(given)).toEqual(whole)
        expect(tokenizer.ids(given)).toEqual(idsOf(whole))
      }),
      { numRuns: 200 },
    )
  })
})

describe('PlainWords', () => {
  const words = new PlainWords((context, word) => (word === 'odd' ? null : `${context}${word}`))

  it('gives the value of each word, and where it begins', () => {
    expect(words.of('ab c. 中文')).toEqual([
      { value: 'ab', start: 0 },
      { value: 'x c.', start: 3 },
      { value: 'x 中文', start: 6 },
    ])
  })

  it.each(['a  b', ' a', 'a ', 'a\tb', 'a \u0301b', 'a 😀', 'an odd one', 'a\u200db'])('refuses %j', (given) => {
    expect(words.of(given)).toBeNull()
  })
})
