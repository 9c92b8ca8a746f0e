import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { alignedOf, textOf } from '../../../src/text/tokenizers/aligned.js'
import { makeFeatures, padFeatures } from '../../../src/text/data/features.js'
import { loadTokenizer } from '../../../src/api/tokenize/load-tokenizer.js'
import { encodePieces, preprocessText, SentencePieceTokenizer } from '../../../src/text/tokenizers/sentencepiece.js'
import { parseSpieceModel } from '../../../src/text/tokenizers/spiece-model.js'
import type { Tokenizer } from '../../../src/text/tokenizers/tokenizer.js'
import { Unigram } from '../../../src/text/tokenizers/unigram.js'
import { parseVocabulary } from '../../../src/text/tokenizers/wordpiece.js'
import { describeShared, hasShared, SHARED } from '../../helpers/shared.js'

const TEXT = join(SHARED, 'text')
const read = (name: string): unknown => JSON.parse(readFileSync(join(TEXT, name), 'utf8'))
const said = (tokenizer: Tokenizer, text: string) => {
  const tokens = tokenizer.encode(text)
  return { tokens: tokens.map((t) => t.token), ids: tokens.map((t) => t.id) }
}

type Said = { tokens: string[]; ids: number[] }
interface WordPieceCases {
  cases: { note: string; text: string; own: { lower: Said; cased: Said }; demo: { lower: Said; cased: Said } }[]
  vocabulary_files: {
    note: string
    content: string
    albert_zh: Record<string, number>
    google: Record<string, number>
  }[]
}

describeShared('WordPiece is that of the genuine code', () => {
  const { cases, vocabulary_files } = hasShared
    ? (read('wordpiece_cases.json') as WordPieceCases)
    : { cases: [], vocabulary_files: [] }

  it('on every case, with both vocabularies, lower-cased and cased', () => {
    expect(cases.length).toBeGreaterThan(50)
    const files = { own: join(TEXT, 'wordpiece_vocab.txt'), demo: join(SHARED, 'demo/zh_news/vocab.txt') }
    for (const [which, file] of Object.entries(files) as ['own' | 'demo', string][])
      for (const [style, lowerCase] of [
        ['lower', true],
        ['cased', false],
      ] as const) {
        const tokenizer = loadTokenizer(file, { lowerCase })
        for (const { note, text, ...expected } of cases)
          expect(said(tokenizer, text), `${which} ${style}: ${note}`).toEqual(expected[which][style])
      }
  })

  it('and so are vocabularies, in both styles', () => {
    expect(vocabulary_files.length).toBeGreaterThan(5)
    for (const { note, content, albert_zh, google } of vocabulary_files) {
      expect(Object.fromEntries(parseVocabulary(content)), note).toEqual(albert_zh)
      expect(Object.fromEntries(parseVocabulary(content, 'google')), note).toEqual(google)
    }
  })
})

interface SentencePieceCases {
  cases: ({ note: string; text: string; normalized: string; pieces: string[] } & Said & {
      lower: Said & { preprocessed: string }
      cased: Said & { preprocessed: string }
    })[]
}

describeShared("SentencePiece is that of Google's ALBERT", () => {
  it('on every case: normalised text, pieces, tokens, ids', () => {
    const file = join(TEXT, 'spiece.model')
    const { cases } = read('sentencepiece_cases.json') as SentencePieceCases
    const model = parseSpieceModel(readFileSync(file), file)
    const unigram = new Unigram(model, file)
    const plain = new SentencePieceTokenizer(model, { file, lowerCase: false, preprocess: false })
    for (const { note, text, normalized, pieces, tokens, ids, lower, cased } of cases) {
      expect(textOf(unigram.normalize(alignedOf(text))), note).toBe(normalized)
      expect(unigram.pieces(alignedOf(text)).map(textOf), note).toEqual(pieces)
      expect(encodePieces(unigram, alignedOf(text)).map(textOf), note).toEqual(tokens)
      expect(said(plain, text), note).toEqual({ tokens, ids })
      for (const [expected, lowerCase] of [
        [lower, true],
        [cased, false],
      ] as const) {
        expect(textOf(preprocessText(alignedOf(text), lowerCase)), note).toBe(expected.preprocessed)
        expect(said(loadTokenizer(file, { lowerCase }), text), note).toEqual({
          tokens: expected.tokens,
          ids: expected.ids,
        })
      }
    }
  })

  it('whose pieces are those of the file', () => {
    const file = join(TEXT, 'spiece.model')
    const { pieces } = parseSpieceModel(readFileSync(file), file)
    const expected = read('spiece_pieces.json') as [string, number, string][]
    expect(pieces.map(({ piece, score, kind }) => [piece, score, kind === 'user' ? 'piece' : kind])).toEqual(expected)
  })
})

interface FeatureCase {
  tokenizer: 'wordpiece' | 'sentencepiece'
  do_lower_case: boolean
  text_a: string
  text_b: string | null
  max_seq_length: number
  input_ids: number[]
  input_mask: number[]
  segment_ids: number[]
}

describeShared('features are those of convert_single_example', () => {
  it('on every case', () => {
    const { cases } = read('features_cases.json') as { cases: FeatureCase[] }
    const files = { wordpiece: 'wordpiece_vocab.txt', sentencepiece: 'spiece.model' }
    for (const c of cases) {
      const tokenizer = loadTokenizer(join(TEXT, files[c.tokenizer]), { lowerCase: c.do_lower_case })
      const features = makeFeatures(tokenizer, c.text_a, c.text_b, c.max_seq_length)
      expect(padFeatures(features, c.max_seq_length), JSON.stringify(c)).toEqual({
        input_ids: c.input_ids,
        input_mask: c.input_mask,
        segment_ids: c.segment_ids,
      })
    }
  })
})
