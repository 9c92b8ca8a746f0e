import { shownJson } from '../../base/json-text.js'
import { malformed, unsupported } from '../../base/errors.js'
import { replaceAll, slice, withGaps, type Aligned, type Range } from './aligned.js'
import { fieldsOf, flag, type Fields } from './normalizers.js'
import { compileRegex, matchesOf } from './patterns.js'
import * as fast from './rust-unicode.js'

/** Pre-tokenizers of a `tokenizer.json` (huggingface/tokenizers, tokenizers/src/pre_tokenizers). */

export type PreTokenizer = (part: Aligned) => Aligned[]

/** Fate of what a text is split at. */
type Behavior = 'Removed' | 'Isolated' | 'Contiguous' | 'MergedWithPrevious' | 'MergedWithNext'
const BEHAVIORS: readonly Behavior[] = ['Removed', 'Isolated', 'Contiguous', 'MergedWithPrevious', 'MergedWithNext']

const MAX_DEPTH = 16

/** `NormalizedString::split`: joins the ranges of a text according to `behavior`. */
function joinRanges(ranges: readonly Range[], behavior: Behavior): readonly Pick<Range, 'start' | 'end'>[] {
  if (behavior === 'Removed') return ranges.filter(({ matches }) => !matches)
  if (behavior === 'Isolated') return ranges
  const joined: { start: number; end: number }[] = []
  const given = behavior === 'MergedWithNext' ? [...ranges].reverse() : ranges
  let before: boolean | null = null
  for (const { start, end, matches } of given) {
    const last = joined.at(-1)
    const joins = behavior === 'Contiguous' ? matches === before : matches && before === false
    if (joins && last !== undefined) {
      last.start = Math.min(last.start, start)
      last.end = Math.max(last.end, end)
    } else joined.push({ start, end })
    before = matches
  }
  return behavior === 'MergedWithNext' ? joined.reverse() : joined
}

const partsOf = (text: Aligned, ranges: readonly Range[], behavior: Behavior): Aligned[] =>
  joinRanges(ranges, behavior)
    .filter(({ start, end }) => end > start)
    .map(({ start, end }) => slice(text, start, end))

/** Splits at single characters. */
const splitAt =
  (isMatch: (char: string) => boolean, behavior: Behavior): PreTokenizer =>
  (text) => {
    const matches = text.chars.flatMap((char, i): [number, number][] => (isMatch(char) ? [[i, i + 1]] : []))
    return partsOf(text, withGaps(text.chars.length, matches), behavior)
  }

const inverted = (ranges: readonly Range[]): Range[] => ranges.map((range) => ({ ...range, matches: !range.matches }))

const sequence =
  (steps: readonly PreTokenizer[]): PreTokenizer =>
  (text) =>
    steps.reduce<Aligned[]>((parts, step) => parts.flatMap(step), [text])

const bert = sequence([splitAt(fast.isWhiteSpace, 'Removed'), splitAt(fast.isPunctuation, 'Isolated')])

/** `\w+|[^\w\s]+`. */
const whitespace: PreTokenizer = (text) => {
  const kindOf = (char: string): number => (fast.isWordCharacter(char) ? 1 : fast.isWhiteSpace(char) ? 0 : 2)
  const parts: Aligned[] = []
  for (let start = 0; start < text.chars.length;) {
    const kind = kindOf(text.chars[start]!)
    let end = start + 1
    while (end < text.chars.length && kindOf(text.chars[end]!) === kind) end++
    if (kind !== 0) parts.push(slice(text, start, end))
    start = end
  }
  return parts
}

function metaspace(fields: Fields): PreTokenizer {
  const mark = typeof fields.replacement === 'string' ? fields.replacement : '\u2581'
  const scheme =
    typeof fields.prepend_scheme === 'string'
      ? fields.prepend_scheme
      : flag(fields.add_prefix_space, true)
        ? 'always'
        : 'never'
  const isSplit = flag(fields.split, true)
  const split = splitAt((char) => char === mark, 'MergedWithNext')
  return (text) => {
    const { chars, from } = replaceAll(text, ' ', mark)
    const prepends =
      chars.length > 0 && chars[0] !== mark && (scheme === 'always' || (scheme === 'first' && from[0] === 0))
    const marked = prepends ? { chars: [mark, ...chars], from: [from[0]!, ...from] } : { chars, from }
    return isSplit ? split(marked) : [marked]
  }
}

function behaviorOf(value: unknown, otherwise: Behavior, file: string): Behavior {
  if (value === undefined) return otherwise
  const found = BEHAVIORS.find((name) => name === value)
  if (found !== undefined) return found
  throw unsupported(`the tokenizer splits with the behavior ${shownJson(value)}`, {
    code: 'tokenizer-unsupported',
    file,
    field: 'pre_tokenizer.behavior',
  })
}

function split(fields: Fields, file: string): PreTokenizer {
  const { Regex: source, String: search } = fieldsOf(fields.pattern)
  const behavior = behaviorOf(fields.behavior, 'Isolated', file)
  const invert = flag(fields.invert, false)
  const escaped = typeof search === 'string' ? search.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&') : null
  const regex = escaped === null ? compileRegex(source, file, 'pre_tokenizer.pattern') : new RegExp(escaped, 'gu')
  return (text) => {
    const ranges = withGaps(text.chars.length, matchesOf(text, regex))
    return partsOf(text, invert ? inverted(ranges) : ranges, behavior)
  }
}

function fixedLength(fields: Fields): PreTokenizer {
  const length = Number.isInteger(fields.length) && (fields.length as number) > 0 ? (fields.length as number) : 5
  return (text) =>
    Array.from({ length: Math.ceil(text.chars.length / length) }, (_, i) => slice(text, i * length, (i + 1) * length))
}

/**
 * The function that `pre_tokenizer` of a `tokenizer.json` describes.
 * @throws AlbertkitError `unsupported` if its type is unknown, `malformed` if it is damaged
 */
export function buildPreTokenizer(value: unknown, file: string, depth = 0): PreTokenizer {
  if (value === null || value === undefined) return (text) => [text]
  const fields = fieldsOf(value)
  const { type } = fields
  switch (type) {
    case 'Sequence': {
      const parts = Array.isArray(fields.pretokenizers) ? (fields.pretokenizers as unknown[]) : []
      if (depth >= MAX_DEPTH)
        throw malformed('the pre-tokenizer is nested too deep', {
          code: 'limit-exceeded',
          file,
          field: 'pre_tokenizer',
        })
      return sequence(parts.map((part) => buildPreTokenizer(part, file, depth + 1)))
    }
    case 'BertPreTokenizer':
      return bert
    case 'Whitespace':
      return whitespace
    case 'WhitespaceSplit':
      return splitAt(fast.isWhiteSpace, 'Removed')
    case 'Punctuation':
      return splitAt(fast.isPunctuation, behaviorOf(fields.behavior, 'Isolated', file))
    case 'Digits':
      return splitAt((c) => /^\p{N}$/u.test(c), flag(fields.individual_digits, false) ? 'Isolated' : 'Contiguous')
    case 'CharDelimiterSplit':
      return splitAt((c) => c === fields.delimiter, 'Removed')
    case 'Metaspace':
      return metaspace(fields)
    case 'Split':
      return split(fields, file)
    case 'FixedLength':
      return fixedLength(fields)
    default:
      throw unsupported(`the tokenizer has the pre-tokenizer ${typeof type === 'string' ? type : 'without a type'}`, {
        code: 'tokenizer-unsupported',
        file,
        field: 'pre_tokenizer',
      })
  }
}

/** True if a pre-tokenizer makes a word of SentencePiece of each word between spaces. */
export function splitsAtSpaces(value: unknown): boolean {
  const { type, pretokenizers, split } = fieldsOf(value)
  if (type !== 'Sequence') return type === 'Metaspace' && flag(split, true)
  const types = Array.isArray(pretokenizers) ? pretokenizers.map((part) => fieldsOf(part).type) : []
  return types.length === 2 && types[0] === 'WhitespaceSplit' && types[1] === 'Metaspace'
}
