import { filter, transform, expand, type Aligned } from './aligned.js'
import * as fast from './rust-unicode.js'
import { isChinese, isControl, isPunctuation, isWhitespace, PYTHON_SPACE } from './unicode.js'

/** Rules by which a text becomes words, before WordPiece looks into them: three programs have three sets. */
export interface BasicRules {
  /** True if a character is dropped. */
  readonly isDropped: (char: string) => boolean
  /** True if a character parts words. */
  readonly isSpace: (char: string) => boolean
  /** True if a character is a separate word. */
  readonly isAlone: (char: string) => boolean
  readonly isPunctuation: (char: string) => boolean
  /** True if the text is composed (NFC) before it is split. */
  readonly compose: boolean
  /** Lower-cases a word and strips its accents. */
  readonly change: (word: Aligned) => Aligned
  /** Longer words, in characters, are unknown as a whole. */
  readonly maxChars: number
}

export interface BasicOptions {
  readonly lowerCase: boolean
  readonly stripAccents: boolean
  /** True if Chinese characters are set apart; default true. */
  readonly chinese?: boolean | undefined
}

const never = (): boolean => false

const isNonspacing = (char: string): boolean => /^\p{Mn}$/u.test(char)

/** Lower-cased, then stripped, as the Python programs do it. */
const changeOf =
  ({ lowerCase, stripAccents }: BasicOptions) =>
  (word: Aligned): Aligned => {
    const lower = lowerCase ? transform(word, (t) => t.toLowerCase()) : word
    if (!stripAccents) return lower
    return filter(
      transform(lower, (t) => t.normalize('NFD')),
      (c) => !isNonspacing(c),
    )
  }

/** tokenization.py of google-research/bert, albert_zh and google-research/albert. */
export const googleRules = (options: BasicOptions): BasicRules => ({
  isDropped: (c) => c === '\0' || c === '\ufffd' || isControl(c),
  isSpace: (c) => isWhitespace(c) || PYTHON_SPACE.test(c),
  isAlone: options.chinese === false ? never : isChinese,
  isPunctuation,
  compose: false,
  change: changeOf(options),
  maxChars: 200,
})

/** BasicTokenizer of transformers (tokenization_bert.py). */
export const transformersRules = (options: BasicOptions): BasicRules => ({
  ...googleRules(options),
  // Unassigned and private characters are controls here.
  isDropped: (c) => c === '\0' || c === '\ufffd' || /^(?![\t\n\r])\p{C}$/u.test(c),
  compose: true,
  maxChars: 100,
})

/** BertNormalizer and BertPreTokenizer of the tokenizers library, which strip accents first and lower-case after. */
export const fastRules = (
  { lowerCase, stripAccents, chinese = true }: BasicOptions,
  { cleanText = true, maxChars = 100 }: { readonly cleanText?: boolean; readonly maxChars?: number } = {},
): BasicRules => ({
  isDropped: cleanText ? fast.isDropped : never,
  isSpace: fast.isWhiteSpace,
  isAlone: chinese ? fast.isChineseFast : never,
  isPunctuation: fast.isPunctuation,
  compose: false,
  change: (word) => {
    const plain = stripAccents
      ? filter(
          transform(word, (t) => t.normalize('NFD')),
          (c) => !fast.isNonspacing(c),
        )
      : word
    return lowerCase ? expand(plain, (c) => c.toLowerCase()) : plain
  },
  maxChars,
})
