import { SplitPreTokenizer } from '@huggingface/tokenizers'
import { malformed, unsupported } from '../../base/errors.js'
import { textOf, type Aligned } from './aligned.js'

/** Regular expressions of a `tokenizer.json`: those of Oniguruma, rewritten for JavaScript by `@huggingface/tokenizers`. */

/** @throws AlbertkitError `malformed` if `source` is not a string, `unsupported` if JavaScript cannot express it */
export function compileRegex(source: unknown, file: string, field: string): RegExp {
  if (typeof source !== 'string')
    throw malformed('the tokenizer has a pattern that is no text', { code: 'tokenizer-invalid', file, field })
  try {
    const { pattern } = new SplitPreTokenizer({ type: 'Split', pattern: { Regex: source }, behavior: 'Isolated' })
    if (pattern !== null) return new RegExp(pattern.source, 'gu')
  } catch (cause) {
    throw unsupported(`the tokenizer has the pattern ${source}`, { code: 'tokenizer-unsupported', file, field, cause })
  }
  throw unsupported(`the tokenizer has the pattern ${source}`, { code: 'tokenizer-unsupported', file, field })
}

/**
 * Matches in a text, as ranges of characters. Empty ones part the text, too, as Oniguruma gives them: all but those
 * right behind another match.
 */
export function matchesOf(text: Aligned, regex: RegExp): [start: number, end: number][] {
  const whole = textOf(text)
  // Places of a match count UTF-16 units.
  const places = new Map<number, number>()
  let units = 0
  text.chars.forEach((char, i) => {
    places.set(units, i)
    units += char.length
  })
  places.set(units, text.chars.length)
  const found: [number, number][] = []
  for (const match of whole.matchAll(regex)) {
    const [start, end] = [places.get(match.index), places.get(match.index + match[0].length)]
    if (start === undefined || end === undefined || (end === start && found.at(-1)?.[1] === end)) continue
    found.push([start, end])
  }
  return found
}
