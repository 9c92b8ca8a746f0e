import type { Line } from './lines.js'
import type { BadLine } from './examples.js'
import { fillFrame, specialCount, type Features } from './features.js'
import { defaultFrame, type Tokenizer } from '../tokenizers/tokenizer.js'

/** Files of tagged words, as CoNLL has them: a word and, in the last column, its tag; an empty line ends a sentence. */

export interface Sentence {
  /** Number of its first line. */
  readonly line: number
  readonly words: readonly string[]
  /** Tag of each word. */
  readonly tags: readonly string[]
}

/** A sentence or an unusable line, and the end of what was read so far. */
export interface SentenceRecord {
  readonly item: Sentence | BadLine
  /** Last line of the record. */
  readonly last: Line
}

/** Columns are separated by tabs or spaces. */
export async function* sentencesOf(lines: AsyncIterable<Line>): AsyncGenerator<SentenceRecord> {
  let [words, tags, first] = [[] as string[], [] as string[], 0]
  let last: Line | null = null
  const sentence = (): Sentence => ({ line: first, words, tags })
  for await (const line of lines) {
    const { number, text } = line
    const columns = text.trim().split(/[\t ]+/)
    const before = last
    last = line
    if (text.trim() === '' || columns[0] === '-DOCSTART-') {
      if (words.length > 0) yield { item: sentence(), last: before ?? line }
      ;[words, tags] = [[], []]
      continue
    }
    const reason = columns.length < 2 ? 'the line has no tag' : line.valid === false ? 'the line is not UTF-8' : null
    if (reason !== null) {
      yield { item: { line: number, reason, content: text }, last: line }
      continue
    }
    if (words.length === 0) first = number
    words.push(columns[0]!)
    tags.push(columns.at(-1)!)
  }
  if (words.length > 0) yield { item: sentence(), last: last! }
}

/** Inputs of the model for words, and the place of each word's first token among them. */
export interface WordFeatures {
  readonly features: Features
  /** Index in `input_ids` of the first token of each word; words that were truncated have none. */
  readonly firsts: readonly number[]
}

/**
 * Tokenizes words one by one, so that each has its own tokens.
 * @param maxLength largest number of tokens, special tokens included
 */
export function wordFeatures(tokenizer: Tokenizer, words: readonly string[], maxLength: number): WordFeatures {
  const { single } = tokenizer.frame ?? defaultFrame(tokenizer.special)
  const ids: number[] = []
  const starts: number[] = []
  for (const word of words) {
    const pieces = tokenizer.ids(word)
    starts.push(ids.length)
    // A word without tokens, e.g. of control characters, is one unknown token: its tag must not be lost.
    ids.push(...(pieces.length > 0 ? pieces : [tokenizer.special.unk]))
  }
  const room = Math.max(0, maxLength - specialCount(single))
  const isCut = ids.length > room
  const { features, at } = fillFrame(single, ids.slice(0, room), [])
  const firsts = starts.filter((start) => start < room).map((start) => at.a + start)
  return { features: isCut ? { ...features, isCut } : features, firsts }
}
