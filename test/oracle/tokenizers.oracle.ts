import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync, copyFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeFeatures } from '../../src/text/data/features.js'
import { loadTokenizer } from '../../src/api/tokenize/load-tokenizer.js'
import { FIELD, hasField } from '../helpers/field.js'
import { SHARED, ZH_NEWS } from '../helpers/shared.js'
import { ask, TRANSFORMERS } from './python.js'
import { randomTexts } from './random-text.js'

const COUNT = Number(process.env.ALBERTKIT_ORACLE_TEXTS ?? 10_000)
const folder = mkdtempSync(join(tmpdir(), 'albertkit-tokenizers-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

/** A folder with files, given as text, as an object, or as the path of a file to copy. */
function folderOf(name: string, files: Readonly<Record<string, string | object>>): string {
  const path = join(folder, name)
  mkdirSync(path)
  for (const [file, content] of Object.entries(files))
    if (typeof content === 'string') copyFileSync(content, join(path, file))
    else writeFileSync(join(path, file), JSON.stringify(content))
  return path
}

interface Case {
  readonly name: string
  readonly path: string
  readonly class: string
}

/** A tokenizer.json of the fixtures with other parts. */
function variants(): Case[] {
  const base = JSON.parse(readFileSync(join(FIELD, 'tokenizer-json/nfkc/tokenizer.json'), 'utf8')) as object
  const bert = {
    type: 'BertNormalizer',
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true,
  }
  const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: true }
  const parts: Readonly<Record<string, object>> = {
    whitespace: { pre_tokenizer: { type: 'Whitespace' } },
    punctuation: { pre_tokenizer: { type: 'Punctuation', behavior: 'Contiguous' } },
    digits: {
      normalizer: bert,
      pre_tokenizer: {
        type: 'Sequence',
        pretokenizers: [{ type: 'BertPreTokenizer' }, { type: 'Digits', individual_digits: true }],
      },
    },
    digitGroups: { pre_tokenizer: { type: 'Digits', individual_digits: false } },
    delimiter: { pre_tokenizer: { type: 'CharDelimiterSplit', delimiter: ' ' } },
    splitNext: {
      pre_tokenizer: { type: 'Split', pattern: { Regex: '\\s+|\\d' }, behavior: 'MergedWithNext', invert: false },
    },
    splitPrevious: {
      pre_tokenizer: { type: 'Split', pattern: { String: ' ' }, behavior: 'MergedWithPrevious', invert: false },
    },
    splitInverted: {
      pre_tokenizer: { type: 'Split', pattern: { Regex: '[a-z]+' }, behavior: 'Removed', invert: true },
    },
    splitEmpty: {
      pre_tokenizer: { type: 'Split', pattern: { Regex: '(?=[aeiou])' }, behavior: 'Isolated', invert: false },
    },
    metaspaceReplaced: {
      normalizer: { type: 'Replace', pattern: { String: '``' }, content: '"' },
      pre_tokenizer: metaspace,
    },
    metaspace: { pre_tokenizer: metaspace },
    fixed: { pre_tokenizer: { type: 'FixedLength', length: 3 } },
    none: { pre_tokenizer: null, post_processor: null },
    nfd: { normalizer: { type: 'Sequence', normalizers: [{ type: 'NFD' }, { type: 'StripAccents' }] } },
    nfkd: { normalizer: { type: 'Sequence', normalizers: [{ type: 'NFKD' }, { type: 'Lowercase' }] } },
    nmt: { normalizer: { type: 'Sequence', normalizers: [{ type: 'Nmt' }, { type: 'NFC' }] } },
    strip: { normalizer: { type: 'Strip', strip_left: true, strip_right: true }, pre_tokenizer: null },
    replace: { normalizer: { type: 'Replace', pattern: { Regex: '[aeiou]+|[一-龥]' }, content: ' x ' } },
    prepend: { normalizer: { type: 'Prepend', prepend: 'un' } },
    noClean: { normalizer: { ...bert, clean_text: false } },
    accents: { normalizer: { ...bert, strip_accents: false } },
    cased: { normalizer: { ...bert, lowercase: false } },
    bert: { normalizer: bert },
  }
  return Object.entries(parts).map(([name, part]) => {
    const path = folderOf(`json-${name}`, { 'tokenizer.json': { ...base, ...part } })
    return { name: `tokenizer.json, ${name}`, path: join(path, 'tokenizer.json'), class: 'tokenizers' }
  })
}

/** Added tokens with every flag. */
function flagged(): Case[] {
  const base = JSON.parse(readFileSync(join(FIELD, 'added-tokens/fast/tokenizer.json'), 'utf8')) as {
    added_tokens: object[]
  }
  const token = (id: number, content: string, flags: object): object => ({
    ...{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: false },
    ...flags,
  })
  const tokens = [
    token(86, 'cat', { single_word: true }),
    token(87, '<subj>', { lstrip: true, special: true }),
    token(88, '</subj>', { rstrip: true, special: true }),
    token(89, 'Café', { normalized: true }),
    token(90, '今天', { normalized: true, lstrip: true, rstrip: true }),
  ]
  const path = folderOf('flags', { 'tokenizer.json': { ...base, added_tokens: [...base.added_tokens, ...tokens] } })
  const slow = folderOf('slow-flags', {
    'vocab.txt': join(FIELD, 'added-tokens/slow/vocab.txt'),
    'tokenizer_config.json': {
      tokenizer_class: 'BertTokenizer',
      do_lower_case: true,
      never_split: ['don’t', 'unaffable'],
      added_tokens_decoder: Object.fromEntries(
        tokens.map((t) => {
          const { id, ...rest } = t as { id: number }
          return [id - 3, rest]
        }),
      ),
    },
  })
  return [
    { name: 'added tokens with flags', path: join(path, 'tokenizer.json'), class: 'tokenizers' },
    { name: 'added tokens with flags, BertTokenizer', path: slow, class: 'BertTokenizer' },
  ]
}

function cases(): Case[] {
  const field = (path: string, name: string): Case => ({
    name: `${path}, ${name}`,
    path: join(FIELD, path),
    class: name,
  })
  const spiece = join(SHARED, 'text/spiece.model')
  const albert = (name: string, settings: object): Case => ({
    name: `spiece.model, ${name}`,
    path: folderOf(name, {
      'spiece.model': spiece,
      'tokenizer_config.json': { tokenizer_class: 'AlbertTokenizer', ...settings },
    }),
    class: 'AlbertTokenizer',
  })
  const vocab = join(ZH_NEWS, 'vocab.txt')
  const bert = (name: string, settings: object): Case => ({
    name: `vocab.txt, ${name}`,
    path: folderOf(name, {
      'vocab.txt': vocab,
      'tokenizer_config.json': { tokenizer_class: 'BertTokenizer', ...settings },
    }),
    class: 'BertTokenizer',
  })
  return [
    field('added-tokens/slow', 'BertTokenizer'),
    field('added-tokens/fast', 'BertTokenizerFast'),
    field('albert-added/in', 'AlbertTokenizer'),
    field('keep-accents/keep_lower', 'AlbertTokenizer'),
    field('keep-accents/keep_cased', 'AlbertTokenizer'),
    field('keep-accents/default', 'AlbertTokenizer'),
    field('keep-accents/keep_lower_fast', 'AlbertTokenizerFast'),
    field('japanese/character', 'BertJapaneseTokenizer'),
    field('japanese/nochinese', 'BertTokenizer'),
    field('other-specials/in', 'BertTokenizer'),
    field('long-word/in', 'BertTokenizer'),
    ...['no-chinese-split', 'prefix', 'nfkc', 'whitespace'].map((name) =>
      field(`tokenizer-json/${name}/tokenizer.json`, 'tokenizers'),
    ),
    albert('albert', {}),
    albert('albert-cased', { do_lower_case: false, keep_accents: true }),
    albert('albert-spaces', { remove_space: false }),
    albert('albert-added', {
      added_tokens_decoder: {
        30_000: { content: 'zz', single_word: true },
        30_001: { content: 'Café', normalized: true, lstrip: true },
        30_002: { content: '<subj>', special: true },
      },
    }),
    bert('bert', {}),
    bert('bert-cased', { do_lower_case: false }),
    bert('bert-accents', { strip_accents: false }),
    bert('bert-plain', { do_basic_tokenize: false }),
    bert('bert-split-special', { split_special_tokens: true }),
    bert('bert-extra-special', { extra_special_tokens: { subject_token: '<subj>', number_token: '[NUM]' } }),
    ...variants(),
    ...flagged(),
  ]
}

const all = hasField && TRANSFORMERS !== null ? cases() : []

describe.skipIf(all.length === 0)(`ids of ${COUNT} random texts are the genuine tokenizers'`, () => {
  const texts = all.length === 0 ? [] : randomTexts(COUNT, 16)
  let answers: readonly (readonly (readonly number[])[])[] = []
  beforeAll(() => {
    answers = ask(TRANSFORMERS!, 'run_tokenizers.py', { texts, tokenizers: all }) as typeof answers
  }, 1_800_000)
  all.forEach(({ name, path }, which) => {
    it(name, () => {
      const expected = answers[which]!
      const tokenizer = loadTokenizer(path)
      const wrong = texts.flatMap((text, i) => {
        const ids = makeFeatures(tokenizer, text, null, Infinity).input_ids
        const slow = tokenizer.encode(text).map(({ id }) => id)
        const same = JSON.stringify(ids) === JSON.stringify(expected[i])
        const consistent = JSON.stringify(tokenizer.ids(text)) === JSON.stringify(slow)
        return same && consistent ? [] : [{ text, ids, expected: expected[i]! }]
      })
      expect(wrong.length === 0 ? 0 : `${wrong.length} wrong: ${JSON.stringify(wrong.slice(0, 3))}`).toBe(0)
    })
  })
})
