import { expect, it } from 'vitest'
import { parseTokenizerJson } from '../../../src/text/tokenizers/tokenizer-json.js'

const read = (value: unknown) => parseTokenizerJson(JSON.stringify(value), 'tokenizer.json')
const wordPiece = { type: 'WordPiece', vocab: { '[UNK]': 0, a: 1 } }
const unigram = {
  type: 'Unigram',
  unk_id: 0,
  vocab: [
    ['<unk>', 0],
    ['a', -1],
  ],
}

it('damage in a tokenizer.json is reported with its place', () => {
  for (const value of [null, 5, [], {}, { model: null }, { model: { type: 3 } }])
    expect(() => read(value)).toThrow(expect.objectContaining({ kind: 'unsupported' }))
  const cases: readonly (readonly [unknown, string])[] = [
    [{ model: wordPiece, added_tokens: {} }, 'added_tokens'],
    [{ model: wordPiece, added_tokens: [null] }, 'added_tokens[0]'],
    [{ model: wordPiece, added_tokens: [{ id: -1, content: 'x' }] }, 'added_tokens[0]'],
    [{ model: { ...wordPiece, vocab: 'abc' } }, 'model.vocab'],
    [{ model: { ...wordPiece, vocab: { a: '1' } } }, 'model.vocab.a'],
    [{ model: { ...wordPiece, vocab: { a: 4e9 } } }, 'model.vocab.a'],
    [{ model: { ...unigram, vocab: {} } }, 'model.vocab'],
    [{ model: { ...unigram, vocab: [['<unk>', 0], null] } }, 'model.vocab[1]'],
    [{ model: { ...unigram, vocab: [['<unk>', '0']] } }, 'model.vocab[0]'],
  ]
  for (const [value, field] of cases)
    expect(() => read(value)).toThrow(
      expect.objectContaining({ kind: 'malformed', place: { file: 'tokenizer.json', field } }),
    )
})

it('a normalizer of another form is one that does nothing', () => {
  for (const normalizer of [null, 5, { normalizers: 5 }, { normalizers: [null, 5] }])
    expect(read({ model: wordPiece, normalizer })).toMatchObject({ kind: 'wordpiece', lowerCase: false })
  const nested = { type: 'Sequence', normalizers: [{ type: 'Sequence', normalizers: [{ type: 'Lowercase' }] }] }
  expect(read({ model: unigram, normalizer: nested })).toMatchObject({ kind: 'sentencepiece', lowerCase: true })
})
