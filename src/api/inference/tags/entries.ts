import { parseJson } from '../../../base/json-text.js'
import type { ExampleReader } from '../../../text/data/examples.js'
import { isBad, type BadLine, type Example } from '../../../text/data/examples.js'
import { fillFrame, specialCount } from '../../../text/data/features.js'
import type { Line } from '../../../text/data/lines.js'
import { sentencesOf, wordFeatures, type Sentence } from '../../../text/data/sentences.js'
import { continuesWord } from '../../../text/data/words.js'
import { defaultFrame } from '../../../text/tokenizers/tokenizer.js'
import { lineEntries, type Entry, type LineReader } from '../entries.js'
import type { TextModel } from '../text-model.js'

type Reader = Pick<TextModel, 'tokenizer' | 'maxLength' | 'limits'>

/** A text whose tokens are tagged. */
export function taggingExample({ tokenizer, maxLength }: Reader, example: Example): Example | BadLine {
  const { line, text, textB } = example
  if (textB !== null) return { line, reason: 'there are two texts, and tags are given to one', content: text }
  const { single } = tokenizer.frame ?? defaultFrame(tokenizer.special)
  const all = tokenizer.encode(text)
  const tokens = all.slice(0, Math.max(0, maxLength - specialCount(single)))
  const { features, at } = fillFrame(
    single,
    tokens.map(({ id }) => id),
    [],
  )
  return {
    ...example,
    features: tokens.length < all.length ? { ...features, isCut: true } : features,
    tagged: {
      tokens,
      at: tokens.map((_, i) => at.a + i),
      continues: continuesWord(tokens, tokenizer.kind),
      tags: null,
    },
  }
}

/** A sentence whose words are tagged by their first tokens; its text is the words with spaces between them. */
function wordExample({ tokenizer, maxLength }: Reader, { line, words, tags }: Partial<Sentence> & Words): Example {
  const { features, firsts } = wordFeatures(tokenizer, words, maxLength)
  let start = 0
  const tokens = words.map((token) => {
    const own = { token, start, end: start + Array.from(token).length }
    start = own.end + 1
    return own
  })
  return {
    line,
    text: words.join(' '),
    textB: null,
    label: null,
    features,
    tagged: { tokens, at: firsts, continues: words.map(() => false), tags: tags ?? null },
  }
}

type Words = Pick<Sentence, 'line' | 'words'>

const isWords = (value: unknown): value is string[] =>
  Array.isArray(value) && value.length > 0 && value.every((word) => typeof word === 'string')

/** Words and tags of a JSON line, as transformers' run_ner.py reads them; null for one of another kind. */
function wordsOf({ number, text }: Line): (Partial<Sentence> & Words) | null {
  let parsed: unknown
  try {
    parsed = parseJson(text)
  } catch {
    return null
  }
  if (typeof parsed !== 'object' || parsed === null) return null
  const fields = parsed as Readonly<Record<string, unknown>>
  const words = [fields.tokens, fields.words].find(isWords)
  if (words === undefined) return null
  const tags = [fields.ner_tags, fields.tags, fields.labels].find(isWords)
  return { line: number, words, ...(tags?.length === words.length ? { tags } : {}) }
}

/** Sentences of a file of tagged words. */
export async function* sentenceEntries(lines: AsyncIterable<Line>, model: Reader): AsyncGenerator<Entry> {
  for await (const { item, last } of sentencesOf(lines))
    yield {
      number: item.line,
      item: isBad(item) ? item : wordExample(model, item),
      end: last.end,
      next: last.number + 1,
    }
}

/** Texts, or words in JSON lines, to tag. */
export function taggingEntries(
  lines: AsyncIterable<Line>,
  reader: ExampleReader,
  model: Reader,
): AsyncGenerator<Entry> {
  const { options } = reader
  const read: LineReader['read'] = (line) => {
    const words = options.format === 'jsonl' ? wordsOf(line) : null
    if (words !== null) return wordExample(model, words)
    const item = reader.read(line)
    return item === null || isBad(item) ? item : taggingExample(model, item)
  }
  return lineEntries(lines, { options, read }, model.limits)
}
