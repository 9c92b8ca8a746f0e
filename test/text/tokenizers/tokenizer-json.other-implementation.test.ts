import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Tokenizer as HuggingFace } from '@huggingface/tokenizers'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makeFeatures } from '../../../src/text/data/features.js'
import { loadTokenizer } from '../../../src/api/tokenize/load-tokenizer.js'
import { parseTokenizerJson } from '../../../src/text/tokenizers/tokenizer-json.js'
import { buildTokenizerConfig, buildTokenizerJson } from '../../../src/text/tokenizers/write-tokenizer-json.js'
import { WordPieceTokenizer } from '../../../src/text/tokenizers/wordpiece.js'
import type { Tokenizer } from '../../../src/text/tokenizers/tokenizer.js'
import { describeShared, SHARED, ZH_NEWS } from '../../helpers/shared.js'

interface Said {
  readonly input_ids: readonly number[]
  readonly segment_ids: readonly number[]
  readonly text?: string
}

/** Texts of what people write, and of what breaks tokenizers; without the characters on which the two are known to differ. */
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '今天北京',
        'iPhone 20',
        'Café',
        'naïve',
        '，',
        '2024-01-24',
        ' ',
        '  ',
        'don’t',
        '한국',
        '\t',
        '🙂',
        '##',
      ),
      fc.string({ unit: 'grapheme-ascii', maxLength: 8 }),
      fc.constantFrom(...Array.from({ length: 200 }, (_, i) => String.fromCodePoint(0x4e00 + 37 * i))),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''))
  .filter((t) => !/\[(PAD|UNK|CLS|SEP|MASK)\]/.test(t))

describe('the tokenizer.json that is written', () => {
  it.each([true, false])('gives in Hugging Face’s tokenizers what ours gives (lowerCase %s)', (lowerCase) => {
    const ours = loadTokenizer(ZH_NEWS, { lowerCase })
    const json = JSON.parse(buildTokenizerJson(ours)) as object
    const theirs = new HuggingFace(json, JSON.parse(buildTokenizerConfig(ours, 128)) as object)
    fc.assert(
      fc.property(text, (t) => {
        expect(ours.encode(t).map(({ token }) => token)).toEqual(theirs.tokenize(t))
        expect(makeFeatures(ours, t, null, 512).input_ids).toEqual(theirs.encode(t).ids)
      }),
      { numRuns: 300 },
    )
  })

  it('is read back as the tokenizer that it was', () => {
    const ours = loadTokenizer(ZH_NEWS)
    if (!(ours instanceof WordPieceTokenizer)) throw new RangeError(ours.kind)
    const again = parseTokenizerJson(buildTokenizerJson(ours), 'tokenizer.json')
    expect(again).toMatchObject({ kind: 'wordpiece', lowerCase: true })
    expect(again.kind === 'wordpiece' && Object.fromEntries(again.vocabulary)).toEqual(
      Object.fromEntries(ours.vocabulary),
    )
  })
})

describe('ids', () => {
  const idsOf = (tokenizer: Tokenizer, t: string) => tokenizer.encode(t).map(({ id }) => id)
  /** Text with everything that parts words: Chinese, controls, separators, marks, words longer than are remembered. */
  const mixed = fc
    .array(
      fc.oneof(
        text,
        fc.constantFrom('\0', '\u2028', '\u00ad', '　', '中', 'é', 'Σ', ' ', 'x'.repeat(70), 'x'.repeat(201)),
      ),
    )
    .map((parts) => parts.join(''))

  it.each([true, false])('are those of the tokens (lower case: %s)', (lowerCase) => {
    const tokenizer = loadTokenizer(ZH_NEWS, { lowerCase })
    fc.assert(
      fc.property(mixed, fc.nat(20), (t, limit) => {
        const ids = idsOf(tokenizer, t)
        expect(tokenizer.ids(t)).toEqual(ids)
        expect(tokenizer.ids(t, limit).slice(0, limit)).toEqual(ids.slice(0, limit))
      }),
      { numRuns: 300 },
    )
  })

  it('are cut off as if all tokens were known', () => {
    const tokenizer = loadTokenizer(ZH_NEWS)
    const { cls, sep } = tokenizer.special
    fc.assert(
      fc.property(fc.nat(40), fc.integer({ min: 1, max: 40 }), fc.integer({ min: 4, max: 24 }), (m, n, maxLength) => {
        const [a, b] = ['中'.repeat(m), '国'.repeat(n)]
        let [left, right] = [idsOf(tokenizer, a), idsOf(tokenizer, b)]
        while (left.length + right.length > maxLength - 3)
          if (left.length > right.length) left = left.slice(0, -1)
          else right = right.slice(0, -1)
        const rest = right.length > 0 ? [...right, sep] : []
        expect(makeFeatures(tokenizer, a, b, maxLength).input_ids).toEqual([cls, ...left, sep, ...rest])
      }),
    )
  })
})

describe('offsets', () => {
  it('point into the text: the characters there become the token', () => {
    const tokenizer = loadTokenizer(ZH_NEWS)
    const source = '🙂Café 今天，x'
    const chars = Array.from(source)
    expect(
      tokenizer
        .encode(source)
        .map(({ start, end }) => chars.slice(start, end).join(''))
        .join(''),
    ).toBe(source.replace(' ', ''))
    fc.assert(
      fc.property(text, (t) => {
        const all = Array.from(t)
        let before = 0
        for (const { token, start, end } of tokenizer.encode(t)) {
          expect([start >= before, end > start, end <= all.length]).toEqual([true, true, true])
          before = start
          if (token === '[UNK]') continue
          const plain = all
            .slice(start, end)
            .join('')
            .toLowerCase()
            .normalize('NFD')
            .replace(/\p{Mn}|\p{Cf}|\p{Cc}/gu, '')
          expect(plain).toBe(token.replace(/^##/, ''))
        }
      }),
    )
  })

  it('map a letter with reordered marks to its origin', () => {
    const tokenizer = loadTokenizer(ZH_NEWS)
    // U+1D16F is of a lower class than the acute accent, and is no accent: it comes before it.
    const [only, ...others] = tokenizer.encode('x e\u0301\u{1d16f}').slice(1)
    expect([only?.start, only?.end, others.length]).toEqual([2, 5, 0])
    const [o, p] = tokenizer.encode('\u{1d16a}\u{1d16d}, x')
    expect([o?.start, o?.end, p?.start, p?.end]).toEqual([0, 2, 2, 3])
  })
})

describeShared('the genuine tokenizer of the models', () => {
  it.each(['tf/zh_text_classifier', 'demo/zh_news'])('%s: every line of its test file', (folder) => {
    const directory = join(SHARED, folder)
    const { lines, max_seq_length = 128 } = JSON.parse(readFileSync(join(directory, 'test_tokens.json'), 'utf8')) as {
      lines: Said[]
      max_seq_length?: number
    }
    const tokenizer = loadTokenizer(directory)
    const texts = readFileSync(join(directory, 'test.tsv'), 'utf8')
      .split('\n')
      .map((line) => line.split('\t')[1] ?? '')
    expect(lines.length).toBeGreaterThan(10)
    lines.forEach(({ input_ids }, i) => {
      expect(makeFeatures(tokenizer, texts[i]!, null, max_seq_length).input_ids).toEqual(
        input_ids.slice(0, input_ids.findLastIndex((id) => id !== 0) + 1),
      )
    })
  })

  it('SentencePiece keeps the first of two paths that are equally good in float32', () => {
    const tokenizer = loadTokenizer(join(SHARED, 'text/spiece.model'))
    const said = tokenizer.encode('ß………ẞﷺΣ①①①㎏').map(({ token }) => token)
    expect(said.slice(-4)).toEqual(['1', '11', 'k', 'g'])
  })

  it('SentencePiece through tokenizer.json is SentencePiece through spiece.model', () => {
    const direct = loadTokenizer(join(SHARED, 'text/spiece.model'))
    const folder = mkdtempSync(join(tmpdir(), 'albertkit-text-'))
    try {
      writeFileSync(join(folder, 'tokenizer.json'), buildTokenizerJson(direct))
      const through = loadTokenizer(folder)
      const { cases } = JSON.parse(readFileSync(join(SHARED, 'text/sentencepiece_cases.json'), 'utf8')) as {
        cases: { text: string }[]
      }
      expect(cases.length).toBeGreaterThan(100)
      for (const { text: t } of cases) expect(through.encode(t)).toEqual(direct.encode(t))
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
