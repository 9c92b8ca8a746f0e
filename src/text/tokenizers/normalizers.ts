import { malformed, unsupported } from '../../base/errors.js'
import { expand, filter, replaceAll, slice, textOf, transform, withGaps, type Aligned } from './aligned.js'
import { bytesOfBase64, Charsmap } from './charsmap.js'
import { compileRegex, matchesOf } from './patterns.js'
import * as fast from './rust-unicode.js'

/** Normalizers of a `tokenizer.json` (huggingface/tokenizers, tokenizers/src/normalizers). */

export type Fields = Readonly<Record<string, unknown>>
export type Normalizer = (text: Aligned) => Aligned

/** The value as a record; `{}` if it is not an object. */
export const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}

export const flag = (value: unknown, otherwise: boolean): boolean => (typeof value === 'boolean' ? value : otherwise)

/** Nested deeper than this no tokenizer is. */
const MAX_DEPTH = 16

const form =
  (name: 'NFC' | 'NFD' | 'NFKC' | 'NFKD'): Normalizer =>
  (text) =>
    transform(text, (t) => t.normalize(name))

/** Options of a BertNormalizer. */
export interface BertNormalizer {
  readonly cleanText: boolean
  readonly chinese: boolean
  readonly stripAccents: boolean
  readonly lowerCase: boolean
}

export function bertNormalizer(fields: Fields): BertNormalizer {
  const lowerCase = flag(fields.lowercase, true)
  return {
    cleanText: flag(fields.clean_text, true),
    chinese: flag(fields.handle_chinese_chars, true),
    stripAccents: flag(fields.strip_accents, lowerCase),
    lowerCase,
  }
}

export const applyBert =
  ({ cleanText, chinese, stripAccents, lowerCase }: BertNormalizer): Normalizer =>
  (text) => {
    const clean = cleanText
      ? expand(
          filter(text, (c) => !fast.isDropped(c)),
          (c) => (fast.isWhiteSpace(c) ? ' ' : c),
        )
      : text
    const spaced = chinese ? expand(clean, (c) => (fast.isChineseFast(c) ? ` ${c} ` : c)) : clean
    const plain = stripAccents
      ? filter(
          transform(spaced, (t) => t.normalize('NFD')),
          (c) => !fast.isNonspacing(c),
        )
      : spaced
    return lowerCase ? lowered(plain) : plain
  }

/** Lower-cased a character at a time: a sigma at the end of a word is like any other. */
const lowered: Normalizer = (text) => expand(text, (c) => c.toLowerCase())

/** Text each of whose characters is a grapheme by itself. */
const SEPARATE = /^[ -~À-ɏА-я–—‘’“”…、-】ぁ-ゖァ-ヺ一-鿿가-힣！-～]*$/

/** spm_precompiled's table: entries of whole graphemes of up to five bytes, else of characters; the shortest counts. */
function precompiled(fields: Fields, file: string): Normalizer {
  const { precompiled_charsmap: encoded } = fields
  if (typeof encoded !== 'string')
    throw malformed('the normalization table is no text', {
      code: 'tokenizer-invalid',
      file,
      field: 'normalizer.precompiled_charsmap',
    })
  const charsmap = new Charsmap(bytesOfBase64(encoded, file), file)
  const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' })
  const encoder = new TextEncoder()
  const known = new Map<string, string | null>()
  const entry = (part: string): string | null => {
    let found = known.get(part)
    if (found === undefined) known.set(part, (found = charsmap.shortest(part)))
    return found
  }
  return (text) => {
    const whole = textOf(text)
    if (SEPARATE.test(whole)) return expand(text, (char) => entry(char) ?? char)
    const chars: string[] = []
    const from: number[] = []
    let at = 0
    for (const { segment } of graphemes.segment(whole)) {
      const own = Array.from(segment)
      const made = encoder.encode(segment).length < 6 ? entry(segment) : null
      if (made !== null)
        for (const char of made) {
          chars.push(char)
          from.push(text.from[at]!)
        }
      else
        own.forEach((char, i) => {
          for (const part of entry(char) ?? char) {
            chars.push(part)
            from.push(text.from[at + i]!)
          }
        })
      at += own.length
    }
    return { chars, from }
  }
}

/** Normalizer `Nmt`: controls go, other separators become spaces. */
const nmt: Normalizer = (text) =>
  expand(
    filter(text, (c) => !/^[\x01-\x08\x0b\x0e-\x1f\x7f\x8f\x9f]$/.test(c)),
    (c) => (/^[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]$/.test(c) ? ' ' : c),
  )

function strip(fields: Fields): Normalizer {
  const [left, right] = [flag(fields.strip_left, true), flag(fields.strip_right, true)]
  return (text) => {
    let [start, end] = [0, text.chars.length]
    if (left) while (start < end && fast.isWhiteSpace(text.chars[start]!)) start++
    if (right) while (end > start && fast.isWhiteSpace(text.chars[end - 1]!)) end--
    return slice(text, start, end)
  }
}

function replace(fields: Fields, file: string): Normalizer {
  const { Regex: source, String: search } = fieldsOf(fields.pattern)
  const content = typeof fields.content === 'string' ? fields.content : ''
  if (typeof search === 'string') return (text) => replaceAll(text, search, content, 'last')
  const regex = compileRegex(source, file, 'normalizer.pattern')
  return (text) => {
    const [chars, from]: [string[], number[]] = [[], []]
    for (const { start, end, matches } of withGaps(text.chars.length, matchesOf(text, regex))) {
      const part = matches ? Array.from(content) : text.chars.slice(start, end)
      part.forEach((char, i) => {
        chars.push(char)
        // What is put in comes from the last character that it replaces, as in the library.
        from.push(text.from[matches ? Math.max(0, end - 1) : start + i] ?? 0)
      })
    }
    return { chars, from }
  }
}

function prepend(fields: Fields): Normalizer {
  const content = typeof fields.prepend === 'string' ? Array.from(fields.prepend) : []
  return ({ chars, from }) =>
    chars.length === 0
      ? { chars, from }
      : { chars: [...content, ...chars], from: [...content.map(() => from[0]!), ...from] }
}

/**
 * The function that `normalizer` of a `tokenizer.json` describes.
 * @throws AlbertkitError `unsupported` if its type is unknown, `malformed` if it is damaged
 */
export function buildNormalizer(value: unknown, file: string, depth = 0): Normalizer {
  if (value === null || value === undefined) return (text) => text
  const fields = fieldsOf(value)
  const { type } = fields
  switch (type) {
    case 'Sequence': {
      const parts = Array.isArray(fields.normalizers) ? (fields.normalizers as unknown[]) : []
      if (depth >= MAX_DEPTH)
        throw malformed('the normalizer is nested too deep', { code: 'limit-exceeded', file, field: 'normalizer' })
      const steps = parts.map((part) => buildNormalizer(part, file, depth + 1))
      return (text) => steps.reduce((t, step) => step(t), text)
    }
    case 'BertNormalizer':
      return applyBert(bertNormalizer(fields))
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD':
      return form(type)
    case 'Lowercase':
      return lowered
    case 'StripAccents':
      return (text) => filter(text, (c) => !fast.isMark(c))
    case 'Strip':
      return strip(fields)
    case 'Nmt':
      return nmt
    case 'Precompiled':
      return precompiled(fields, file)
    case 'Replace':
      return replace(fields, file)
    case 'Prepend':
      return prepend(fields)
    default:
      throw unsupported(`the tokenizer has the normalizer ${typeof type === 'string' ? type : 'without a type'}`, {
        code: 'tokenizer-unsupported',
        file,
        field: 'normalizer',
      })
  }
}

/** Normalizers that make the same of a character wherever it stands in a word. */
const LOCAL: readonly unknown[] = ['NFC', 'NFD', 'NFKC', 'NFKD', 'Lowercase', 'StripAccents', 'Precompiled', 'Nmt']

/**
 * True if a normalizer makes of words with single spaces between them what it makes of each word, as long as no word
 * gets a space.
 */
export function isLocal(value: unknown): boolean {
  if (value === null || value === undefined) return true
  const { type, normalizers, pattern } = fieldsOf(value)
  if (type === 'Sequence') return Array.isArray(normalizers) && normalizers.every(isLocal)
  if (type !== 'Replace') return LOCAL.includes(type)
  const { String: search, Regex: source } = fieldsOf(pattern)
  return typeof search === 'string' ? !/\s/.test(search) : source === ' {2,}'
}
