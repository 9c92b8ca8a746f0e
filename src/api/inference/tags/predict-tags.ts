import { fieldsLine } from '../../../base/escape.js'
import { toJsonLine } from '../../../base/json-text.js'
import { areSpanTags } from '../../../base/span-tag.js'
import type { BadLine, Example, TaggedTokens } from '../../../text/data/examples.js'
import { argmax, float32Number, softmax } from '../../../text/data/numbers.js'
import { spansOf } from '../../../text/data/tag-spans.js'
import { answerOf } from '../../../model/tasks.js'
import { mapAnswers, type AnswerOptions } from '../answers.js'
import type { Entry } from '../entries.js'
import { labelsFor } from '../predict.js'
import type { TextModel } from '../text-model.js'

/** Token, or word of a file of words, and its tag. */
export interface TaggedToken {
  readonly token: string
  /** Characters of the text that it comes from, `[start, end)`, as Unicode code points. */
  readonly start: number
  readonly end: number
  /** Most probable tag, and its probability. */
  readonly tag: string
  readonly probability: number
}

/** Span of a text, as `B-` and `I-` tags have it. */
export interface TaggedSpan {
  readonly type: string
  readonly text: string
  readonly start: number
  readonly end: number
  /** Mean over the first tokens of its words. */
  readonly probability: number
}

/** Tags of a text. */
export interface Tagging {
  readonly line: number
  readonly text: string
  readonly reading: 'tags'
  /** Tokens without special tokens and without truncated ones. */
  readonly tokens: readonly TaggedToken[]
  /** Null if the tags are not those of spans. */
  readonly spans: readonly TaggedSpan[] | null
  /** Right tags of all words, if they are given. */
  readonly given: readonly string[] | null
  /** Logits of each token, `[tokens, classes]`. */
  readonly logits: readonly Float32Array[]
}

/** Spans of words; the tag of a word is that of its first token, which is what training teaches. */
function spans(text: string, tokens: readonly TaggedToken[], continues: readonly boolean[]): TaggedSpan[] {
  const words: TaggedToken[] = []
  tokens.forEach((token, i) => {
    const word = words.at(-1)
    if (continues[i] === true && word !== undefined) words[words.length - 1] = { ...word, end: token.end }
    else words.push(token)
  })
  const characters = Array.from(text)
  return spansOf(words.map(({ tag }) => tag)).map(({ type, first, last }) => {
    const own = words.slice(first, last + 1)
    const [start, end] = [own[0]!.start, own.at(-1)!.end]
    const probability = own.reduce((sum, word) => sum + word.probability, 0) / own.length
    return { type, text: characters.slice(start, end).join(''), start, end, probability }
  })
}

/** Tags of an example. @param values logits, `[sequence, classes]` */
function taggingOf(
  { line, text, features }: Example,
  tagged: TaggedTokens,
  values: Float32Array,
  labels: readonly string[],
): Tagging {
  const classes = values.length / features!.input_ids.length
  const logits = tagged.at.map((at) => values.slice(at * classes, (at + 1) * classes))
  const tokens = logits.map((row, i) => {
    const { token, start, end } = tagged.tokens[i]!
    const best = argmax(row)
    return { token, start, end, tag: labels[best]!, probability: softmax(row)[best]! }
  })
  const found = areSpanTags(labels) ? spans(text, tokens, tagged.continues) : null
  return { line, text, reading: 'tags', tokens, spans: found, given: tagged.tags, logits }
}

const LOGITS = { outputs: [answerOf('token-classification')], reduction: 'tokens' } as const

/** Tags the examples of an input, in order. */
export function tagEntries(
  model: TextModel,
  entries: AsyncIterable<Entry>,
  options: AnswerOptions = {},
): AsyncGenerator<Tagging | BadLine> {
  let labels: readonly string[] | undefined
  return mapAnswers(model, LOGITS, entries, options, ({ example, values }): Tagging => {
    const classes = values.length / example.features!.input_ids.length
    return taggingOf(example, example.tagged!, values, (labels ??= labelsFor(model, classes)))
  })
}

/** Formats tags as a line of output: tokens and spans, or tokens and tags in two columns. */
export function taggingLine({ tokens, spans: found }: Tagging, format: 'jsonl' | 'tsv' | 'csv'): string {
  const words = tokens.map(({ token }) => token)
  if (format !== 'jsonl') return fieldsLine(format, [words.join(' '), tokens.map(({ tag }) => tag).join(' ')])
  const rounded = <T extends { readonly probability: number }>(one: T): T => ({
    ...one,
    probability: float32Number(one.probability),
  })
  return toJsonLine({ tokens: tokens.map(rounded), ...(found === null ? {} : { spans: found.map(rounded) }) })
}
