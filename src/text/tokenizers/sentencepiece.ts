import { malformed } from '../../base/errors.js'
import { alignedOf, filter, replaceAll, slice, span, textOf, transform, type Aligned } from './aligned.js'
import { follow, insertWord, newTrie, type CharNode } from './char-trie.js'
import { Charsmap } from './charsmap.js'
import type { SpieceModel } from './spiece-model.js'
import type { SpecialIds, Token, Tokenizer } from './tokenizer.js'
import type { SpecialNames } from './wordpiece.js'
import { isCombining, isDigit, PYTHON_SPACE } from './unicode.js'

/** SentencePiece's unigram model, and what Google's ALBERT does before and after it (tokenization.py, under Python 3). */

export const MARK = '\u2581'
/** Characters that are tried first for each requested token. */
const CHARS_A_TOKEN = 16
/** Log probability of an unknown character below that of the least probable piece (unigram_model.cc, kUnkPenalty). */
const UNKNOWN_PENALTY = 10

/** Half of a surrogate pair. */
const LONE = /^\p{Cs}$/u

const encoder = new TextEncoder()
/** Bytes of a character in UTF-8. */
const byteLength = (char: string): number => {
  const code = char.codePointAt(0) ?? 0
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
}

/** The SentencePiece library: normalisation and the most probable segmentation. */
export class Unigram {
  /** Indices of pieces. */
  readonly #trie = newTrie()
  readonly #user = newTrie()
  readonly #ids = new Map<string, number>()
  readonly #charsmap: Charsmap
  readonly #unknownScore: number
  readonly #maxScore: number
  /** True if no piece contains `MARK` except at its start, so that pieces never span words. */
  readonly words: boolean

  constructor(
    readonly model: SpieceModel,
    file: string,
  ) {
    this.#charsmap = new Charsmap(model.charsmap, file)
    let [min, max] = [Infinity, -Infinity]
    model.pieces.forEach(({ piece, score, kind }, i) => {
      if (!this.#ids.has(piece)) this.#ids.set(piece, i)
      if (kind === 'piece' || kind === 'user' || kind === 'unused') insertWord(this.#trie, piece, i)
      if (kind === 'user') insertWord(this.#user, piece, i)
      if (kind === 'piece') [min, max] = [Math.min(min, score), Math.max(max, score)]
    })
    this.words = model.pieces.every(({ piece }) => !piece.includes(MARK, 1))
    this.#unknownScore = Math.fround(min - UNKNOWN_PENALTY)
    this.#maxScore = max
  }

  idOf(piece: string): number | undefined {
    return this.#ids.get(piece)
  }

  /** The longest user-defined symbol at `at`, in characters; 0 if there is none. */
  #userSymbol(chars: readonly string[], at: number): number {
    let node: CharNode | undefined = this.#user
    let longest = 0
    for (let i = at; i < chars.length; i++) {
      node = follow(node, chars[i]!)
      if (node === undefined) break
      if (node.value !== -1) longest = i + 1 - at
    }
    return longest
  }

  /** Replaces by the table, with the origin of each character. */
  #mapped(text: Aligned): Aligned {
    const whole = { chars: text.chars.map((c) => (c >= '\ud800' && LONE.test(c) ? '\ufffd' : c)), from: text.from }
    const lengths = whole.chars.map(byteLength)
    const bytes = encoder.encode(whole.chars.join(''))
    const chars: string[] = []
    const from: number[] = []
    for (let i = 0, at = 0; i < whole.chars.length;) {
      const user = this.#userSymbol(whole.chars, i)
      const entry = user > 0 ? null : this.#charsmap.longest(bytes, at)
      const made = entry?.text ?? whole.chars.slice(i, i + Math.max(1, user)).join('')
      const origin = whole.from[i]!
      let taken = 0
      let count = 0
      const wanted = entry?.length ?? 0
      do {
        taken += lengths[i + count]!
        count += 1
      } while (entry === null ? count < user : taken < wanted)
      for (const char of made) {
        chars.push(char)
        from.push(origin)
      }
      i += count
      at += taken
    }
    return { chars, from }
  }

  /** normalizer.cc `Normalize`. */
  normalize(text: Aligned): Aligned {
    const { addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces } = this.model
    const mapped = this.#mapped(text)
    const chars: string[] = []
    const from: number[] = []
    const put = (char: string, origin: number): void => {
      chars.push(char === ' ' && escapeWhitespaces ? MARK : char)
      from.push(origin)
    }
    let afterSpace = removeExtraWhitespaces
    mapped.chars.forEach((char, i) => {
      if (char === ' ' && afterSpace) return
      if (chars.length === 0 && addDummyPrefix) put(' ', mapped.from[i]!)
      put(char, mapped.from[i]!)
      afterSpace = removeExtraWhitespaces && char === ' '
    })
    const space = escapeWhitespaces ? MARK : ' '
    if (removeExtraWhitespaces)
      while (chars.at(-1) === space) {
        chars.pop()
        from.pop()
      }
    return { chars, from }
  }

  /**
   * unigram_model.cc `EncodeOptimized`, every sum a float32 as in its lattice: of two paths that are equally good to
   * the last digit, as `1` `11` and `11` `1` are, the one found first stays. Neighbouring unknown pieces are one.
   */
  segment(text: Aligned): Aligned[] {
    const { chars } = text
    const { pieces } = this.model
    // Best path to each position: its score, and the start and the id of its last piece.
    const scores = new Float32Array(chars.length + 1).fill(-Infinity)
    const starts = new Int32Array(chars.length + 1)
    const last = new Int32Array(chars.length + 1)
    scores[0] = 0
    const offer = (end: number, start: number, sum: number, piece: number): void => {
      const score = Math.fround(sum)
      if (score <= scores[end]!) return
      scores[end] = score
      starts[end] = start
      last[end] = piece
    }
    for (let start = 0; start < chars.length; start++) {
      const before = scores[start]!
      let single = false
      let bytes = 0
      let node: CharNode | undefined = this.#trie
      for (let i = start; i < chars.length; i++) {
        node = follow(node, chars[i]!)
        if (node === undefined) break
        bytes += byteLength(chars[i]!)
        if (node.value === -1) continue
        const { kind, score } = pieces[node.value]!
        if (kind === 'unused') continue
        const own = kind === 'user' ? Math.fround(Math.fround(bytes * this.#maxScore) - 0.1) : score
        offer(i + 1, start, own + before, node.value)
        if (i === start) single = true
      }
      if (!single) offer(start + 1, start, this.#unknownScore + before, -1)
    }
    // From the end to the start.
    const path: { start: number; end: number; unknown: boolean }[] = []
    for (let end = chars.length; end > 0;) {
      const [start, unknown] = [starts[end]!, last[end] === -1]
      const next = path.at(-1)
      if (unknown && next?.unknown === true) next.start = start
      else path.push({ start, end, unknown })
      end = start
    }
    return path.reverse().map(({ start, end }) => slice(text, start, end))
  }

  /** `EncodeAsPieces`. */
  pieces(text: Aligned): Aligned[] {
    return this.segment(this.normalize(text))
  }
}

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
function transformersPieces(unigram: Unigram, text: Aligned): Aligned[] {
  return unigram.pieces(text).flatMap((piece) => {
    if (!endsInNumber(piece)) return [piece]
    const again = unigram.pieces(filter(slice(piece, 0, -1), (c) => c !== MARK))
    const [first, ...rest] = again
    if (first !== undefined && piece.chars[0] !== MARK && first.chars[0] === MARK)
      return [...(first.chars.length === 1 ? rest : [slice(first, 1), ...rest]), slice(piece, -1)]
    return [...again, slice(piece, -1)]
  })
}

/**
 * `encode_pieces`: a piece that ends in a digit and a comma is encoded again without the comma. Under Python 3 the
 * genuine
 * code compares text with bytes and so never strips the mark that this leaves in the middle of a word: nor do we.
 */
export function googlePieces(unigram: Unigram, text: Aligned): Aligned[] {
  return unigram.pieces(text).flatMap((piece) => {
    if (!endsInNumber(piece)) return [piece]
    const again = filter(slice(piece, 0, -1), (c) => c !== MARK)
    return [...unigram.pieces(again), slice(piece, -1)]
  })
}

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

  #pieces(text: Aligned): Aligned[] {
    if (this.albert !== undefined)
      return transformersPieces(this.unigram, transformersText(text, this.albert, this.lowerCase))
    if (this.plain) return this.unigram.pieces(text)
    return googlePieces(this.unigram, this.#preprocess ? preprocessText(text, this.lowerCase) : text)
  }

  encode(text: string): Token[] {
    return this.encodeAligned(alignedOf(text))
  }

  /** Tokens of a part of a text. */
  encodeAligned(text: Aligned): Token[] {
    return this.#pieces(text).map((piece) => {
      const token = textOf(piece)
      const own = piece.chars[0] === MARK && piece.chars.length > 1 ? piece.from.slice(1) : piece.from
      return { token, id: this.unigram.idOf(token) ?? this.special.unk, ...span(own) }
    })
  }

  /**
   * The best path to a position does not depend on the text after it, and every path passes the starts of words, as
   * long as no piece continues across a mark: the first words are segmented without looking at the rest.
   */
  ids(text: string, limit = Infinity): number[] {
    const idsOf = (part: string): number[] => this.encode(part).map(({ id }) => id)
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
