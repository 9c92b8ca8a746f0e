import { unsupported } from '../../base/errors.js'
import { alignedOf, expand, slice, span, transform, words, type Aligned } from './aligned.js'
import { transformersRules } from './basic-rules.js'
import { fieldsOf, type Fields } from './normalizers.js'
import type { CharacterTokenizer } from './slow-tokenizer.js'
import type { SpecialIds, Token } from './tokenizer.js'
import { basicTokens, type SpecialNames, WordPieceTokenizer, type WordPieceOptions } from './wordpiece.js'

/** BertJapaneseTokenizer of transformers (tokenization_bert_japanese.py), as far as it needs no dictionary of words. */

/** Characters that MeCab skips between words. */
const isSkipped = (char: string): boolean => /^[\t\n\v ]$/.test(char)

/** Tokens that are single characters. */
export class JapaneseCharacters implements CharacterTokenizer {
  readonly kind = 'wordpiece'
  readonly lowerCase: boolean
  readonly size: number
  readonly special: SpecialIds
  readonly file: string
  readonly names: SpecialNames

  constructor(
    readonly base: WordPieceTokenizer,
    /** Word segmenter; the characters of its words are the tokens. */
    readonly words: 'basic' | 'mecab' | 'none',
    readonly split: (text: Aligned) => readonly Aligned[],
  ) {
    this.lowerCase = base.lowerCase
    this.size = base.size
    this.special = base.special
    this.file = base.file
    this.names = base.names
  }

  idOf(token: string): number | undefined {
    return this.base.idOf(token)
  }

  tokenOf(id: number): string | undefined {
    return this.base.tokenOf(id)
  }

  encode(text: string): Token[] {
    return this.encodeAligned(alignedOf(text))
  }

  encodeAligned(text: Aligned): Token[] {
    return this.split(text).flatMap((word) => {
      const { chars, from } = transform(word, (t) => t.normalize('NFKC'))
      return chars.map((char, i): Token => {
        const id = this.base.idOf(char)
        return { token: id === undefined ? this.names.unk : char, id: id ?? this.special.unk, ...span(from, i, i + 1) }
      })
    })
  }

  ids(text: string): number[] {
    return this.encode(text).map(({ id }) => id)
  }
}

/** Normalised runs of text between characters that MeCab skips; words are within runs, and their characters are all. */
function mecabParts(text: Aligned, lowerCase: boolean, normalize: boolean): Aligned[] {
  const composed = normalize ? transform(text, (t) => t.normalize('NFKC')) : text
  // The text ends there for a program in C.
  const end = composed.chars.indexOf('\0')
  const parts = words(end === -1 ? composed : slice(composed, 0, end), isSkipped)
  return lowerCase ? parts.map((part) => expand(part, (c) => c.toLowerCase())) : parts
}

/** @throws AlbertkitError `unsupported` if words are to be found in a dictionary */
export function japaneseTokenizer(
  vocabulary: ReadonlyMap<string, number>,
  options: WordPieceOptions,
  fields: Fields,
): WordPieceTokenizer | CharacterTokenizer {
  const { lowerCase, file } = options
  const nameIn = (value: unknown, otherwise: string): string => (typeof value === 'string' ? value : otherwise)
  const word = fields.do_word_tokenize === false ? 'none' : nameIn(fields.word_tokenizer_type, 'basic')
  const piece = fields.do_subword_tokenize === false ? 'none' : nameIn(fields.subword_tokenizer_type, 'wordpiece')
  const rules = transformersRules({ lowerCase, stripAccents: options.stripAccents ?? lowerCase, chinese: false })
  const base = new WordPieceTokenizer(vocabulary, { ...options, rules })
  if (word === 'basic' && piece === 'wordpiece') return base
  if (piece === 'character' && word === 'basic')
    return new JapaneseCharacters(base, word, (text) => basicTokens(text, rules, options.neverSplit))
  if (piece === 'character' && word === 'none') return new JapaneseCharacters(base, word, (text) => [text])
  if (piece === 'character' && word === 'mecab') {
    const normalize = fieldsOf(fields.mecab_kwargs).normalize_text !== false
    return new JapaneseCharacters(base, word, (text) => mecabParts(text, lowerCase, normalize))
  }
  throw unsupported(`BertJapaneseTokenizer with ${word} words and ${piece} pieces cannot be followed`, {
    code: 'tokenizer-unsupported',
    file,
    field: word === 'basic' ? 'subword_tokenizer_type' : 'word_tokenizer_type',
    hint: 'its words come from a dictionary: tokenize with transformers, and give the features',
  })
}
