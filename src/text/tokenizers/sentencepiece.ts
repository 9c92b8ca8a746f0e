import { malformed } from '../../base/errors.js'
import { alignedOf, filter, replaceAll, slice, span, textOf, transform, type Aligned } from './aligned.js'
import { PlainWords, shifted, type KnownWord } from './plain-words.js'
import type { SpieceModel } from './spiece-model.js'
import type { SpecialIds, Token, Tokenizer } from './tokenizer.js'
import { isCombining, isDigit, PYTHON_SPACE } from './unicode.js'
import { MARK, scoreAfter, Unigram, withoutMarks, type UnigramWord } from './unigram.js'
import type { SpecialNames } from './wordpiece.js'

/** What Google's ALBERT does before and after SentencePiece (tokenization.py, under Python 3), and transformers. */

/** Characters that are tried first for each requested token. */
const CHARS_A_TOKEN = 16

/** Runs of white space become one space, and none is left at the ends. */
function oneSpace(text: Aligned): Aligned {
  const chars: string[] = []
  const from: number[] = []
  let isAfterSpace = false
  text.chars.forEach((char, i) => {
    // Letters and digits of ASCII need no look at the pattern.
    if ((char < '!' || char > '~') && PYTHON_SPACE.test(char)) {
      isAfterSpace = chars.length > 0
      return
    }
    const origin = text.from[i]!
    if (isAfterSpace) {
      chars.push(' ')
      from.push(origin - 1)
    }
    isAfterSpace = false
    chars.push(char)
    from.push(origin)
  })
  return { chars, from }
}

const withoutAccents = (text: Aligned): Aligned =>
  filter(
    transform(text, (t) => t.normalize('NFKD')),
    (c) => !isCombining(c),
  )

/**
 * run_classifier's `preprocess_text`: runs of white space become one, NFKD, characters with a combining class go, lower
 * case.
 */
export function preprocessText(text: Aligned, lowerCase: boolean): Aligned {
  const plain = withoutAccents(oneSpace(text))
  return lowerCase ? transform(plain, (t) => t.toLowerCase()) : plain
}

/** Options of transformers' AlbertTokenizer. */
export interface AlbertRules {
  readonly removeSpace: boolean
  readonly keepAccents: boolean
}

/** `preprocess_text` of transformers (tokenization_albert.py), which also makes quotes of `` and ''. */
function transformersText(text: Aligned, { removeSpace, keepAccents }: AlbertRules, lowerCase: boolean): Aligned {
  const spaced = removeSpace ? oneSpace(text) : text
  const quoted = replaceAll(replaceAll(spaced, '``', '"'), "''", '"')
  const plain = keepAccents ? quoted : withoutAccents(quoted)
  return lowerCase ? transform(plain, (t) => t.toLowerCase()) : plain
}

/** True if a piece ends in a digit and a comma, which are encoded apart. */
const endsInNumber = ({ chars }: Aligned): boolean => chars.length > 1 && chars.at(-1) === ',' && isDigit(chars.at(-2)!)

/** `_tokenize` of transformers: a number before a comma is encoded again, without a mark that it did not have. */
function transformersPieces(unigram: Unigram, piece: Aligned): Aligned[] {
  if (!endsInNumber(piece)) return [piece]
  const again = unigram.pieces(withoutMarks(slice(piece, 0, -1)))
  const [first, ...rest] = again
  if (first !== undefined && piece.chars[0] !== MARK && first.chars[0] === MARK)
    return [...(first.chars.length === 1 ? rest : [slice(first, 1), ...rest]), slice(piece, -1)]
  return [...again, slice(piece, -1)]
}

/**
 * `encode_pieces`: a piece that ends in a digit and a comma is encoded again without the comma. Under Python 3 the
 * genuine code compares text with bytes and so never strips the mark that this leaves in the middle of a word: nor do
 * we.
 */
const googlePieces = (unigram: Unigram, piece: Aligned): Aligned[] =>
  endsInNumber(piece) ? [...unigram.pieces(withoutMarks(slice(piece, 0, -1))), slice(piece, -1)] : [piece]

/** Pieces of a text as Google's code has them. */
export const encodePieces = (unigram: Unigram, text: Aligned): Aligned[] =>
  unigram.pieces(text).flatMap((piece) => googlePieces(unigram, piece))

export interface SentencePieceOptions {
  readonly file: string
  readonly lowerCase: boolean
  /** True if the text goes through `preprocess_text` first; default true. */
  readonly preprocess?: boolean
  /** True if the model is used alone, without what Google's code does before and after (keras-hub); default false. */
  readonly plain?: boolean
  /** Rules of transformers' AlbertTokenizer; those of Google's code if absent. */
  readonly albert?: AlbertRules | undefined
  readonly names?: SpecialNames | undefined
  /** Ids of special tokens that the model lacks. */
  readonly added?: ReadonlyMap<string, number> | undefined
}

export const ALBERT_SPECIAL: SpecialNames = {
  cls: '[CLS]',
  sep: '[SEP]',
  pad: '<pad>',
  unk: '<unk>',
  mask: '[MASK]',
}

/** ALBERT's SentencePiece tokenizer. */
export class SentencePieceTokenizer implements Tokenizer {
  readonly kind = 'sentencepiece'
  readonly notes: readonly string[] = []
  readonly size: number
  readonly special: SpecialIds
  readonly file: string
  readonly lowerCase: boolean
  readonly unigram: Unigram
  readonly plain: boolean
  readonly albert: AlbertRules | undefined
  readonly names: SpecialNames
  readonly #preprocess: boolean
  readonly #words = new PlainWords((context, word) => this.#word(context, word))

  /** @throws AlbertkitError `malformed` if the model lacks a piece that every text needs */
  constructor(
    readonly model: SpieceModel,
    options: SentencePieceOptions,
  ) {
    const { file, lowerCase, preprocess = true, plain = false, albert, names = ALBERT_SPECIAL, added } = options
    this.file = file
    this.lowerCase = lowerCase
    this.plain = plain
    this.albert = albert
    this.names = names
    this.#preprocess = preprocess
    this.unigram = new Unigram(model, file)
    this.size = model.pieces.length
    const unk = model.pieces.findIndex(({ kind }) => kind === 'unknown')
    const idOf = (piece: string): number | undefined => this.unigram.idOf(piece) ?? added?.get(piece)
    const need = (piece: string): number => {
      const id = idOf(piece)
      if (id !== undefined) return id
      throw malformed(`the SentencePiece model has no ${piece}`, {
        code: 'tokenizer-invalid',
        file,
        hint: "ALBERT's models have it",
      })
    }
    this.special = {
      cls: need(names.cls),
      sep: need(names.sep),
      pad: idOf(names.pad) ?? 0,
      unk: unk === -1 ? need(names.unk) : unk,
      mask: idOf(names.mask) ?? null,
    }
  }

  idOf(token: string): number | undefined {
    return this.unigram.idOf(token)
  }

  tokenOf(id: number): string | undefined {
    return this.model.pieces[id]?.piece
  }

  /** The text as SentencePiece gets it. */
  #given(text: Aligned): Aligned {
    if (this.albert !== undefined) return transformersText(text, this.albert, this.lowerCase)
    return this.#preprocess && !this.plain ? preprocessText(text, this.lowerCase) : text
  }

  /** Tokens of the pieces that SentencePiece found. */
  #tokens(pieces: readonly Aligned[]): Token[] {
    const again = this.albert !== undefined ? transformersPieces : googlePieces
    const own = this.plain && this.albert === undefined ? pieces : pieces.flatMap((piece) => again(this.unigram, piece))
    return own.map((piece) => {
      const token = textOf(piece)
      const from = piece.chars[0] === MARK && piece.chars.length > 1 ? piece.from.slice(1) : piece.from
      return { token, id: this.unigram.idOf(token) ?? this.special.unk, ...span(from) }
    })
  }

  /** A word that stands behind `context`, or null if SentencePiece gets more of it than one word. */
  #word(context: string, text: string): (KnownWord & UnigramWord) | null {
    const { chars, from } = this.unigram.normalize(this.#given(alignedOf(context + text)))
    const start = chars.lastIndexOf(MARK)
    const marks = chars.filter((char) => char === MARK).length
    if (chars[0] !== MARK || marks !== (context === '' ? 1 : 2)) return null
    const own = from.slice(start).map((place) => place - context.length)
    const word = this.unigram.word({ chars: chars.slice(start), from: own })
    const tokens = this.#tokens(word.pieces)
    return { ...word, tokens, ids: tokens.map(({ id }) => id) }
  }

  /**
   * Calls `take` with the tokens of each word until it returns true: words are remembered if rounding cannot change
   * their best paths. Returns false, and calls nothing, if the text has other words.
   */
  #eachWord(text: string, take: (tokens: readonly Token[], ids: readonly number[], start: number) => boolean): boolean {
    const words = this.unigram.separable ? this.#words.of(text) : null
    if (words === null) return false
    let score = 0
    for (const { value, start } of words) {
      let { tokens, ids } = value
      if (-score < value.limit) score = scoreAfter(value, score)
      else {
        const exact = this.unigram.segment(value.text, score)
        score = exact.score
        tokens = this.#tokens(exact.pieces)
        ids = tokens.map(({ id }) => id)
      }
      if (take(tokens, ids, start)) break
    }
    return true
  }

  encode(text: string): Token[] {
    const tokens: Token[] = []
    const take = (own: readonly Token[], _: unknown, start: number): boolean => {
      for (const token of own) tokens.push(shifted(token, start))
      return false
    }
    return this.#eachWord(text, take) ? tokens : this.encodeAligned(alignedOf(text))
  }

  /** Tokens of a part of a text. */
  encodeAligned(text: Aligned): Token[] {
    return this.#tokens(this.unigram.pieces(this.#given(text)))
  }

  ids(text: string, limit = Infinity): number[] {
    const ids: number[] = []
    const take = (_: unknown, own: readonly number[]): boolean => {
      for (const id of own) ids.push(id)
      return ids.length >= limit
    }
    return this.#eachWord(text, take) ? ids : this.#idsOfStart(text, limit)
  }

  /**
   * The best path to a position does not depend on the text after it, and every path passes the starts of words, as
   * long as no piece continues across a mark: the first words are segmented without looking at the rest.
   */
  #idsOfStart(text: string, limit: number): number[] {
    const idsOf = (part: string): number[] => this.encodeAligned(alignedOf(part)).map(({ id }) => id)
    if (this.unigram.words)
      for (let length = CHARS_A_TOKEN * (limit + 1); length < text.length; length *= 4) {
        const space = text.indexOf(' ', length)
        if (space === -1) break
        // What is unknown at the end may go on.
        const ids = idsOf(text.slice(0, space)).slice(0, -1)
        if (ids.length >= limit) return ids
      }
    return idsOf(text)
  }
}
