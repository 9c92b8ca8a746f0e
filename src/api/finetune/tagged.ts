import type { BadLine } from '../../text/data/examples.js'
import { defaultFrame, type Tokenizer } from '../../text/tokenizers/tokenizer.js'
import { readLines } from '../input/lines.js'
import type { LabelledExample, ReadOptions } from './labelled.js'

/** Files of tagged words, as CoNLL has them: a word and, in the last column, its tag; an empty line ends a sentence. */

interface Sentence {
  readonly line: number
  readonly words: readonly string[]
  readonly tags: readonly string[]
}

/** Columns are separated by tabs or spaces. */
async function* sentences(file: string): AsyncGenerator<Sentence | BadLine> {
  let [words, tags, first] = [[] as string[], [] as string[], 0]
  for await (const { number, text } of readLines(file)) {
    const columns = text.trim().split(/[\t ]+/)
    if (text.trim() === '' || columns[0] === '-DOCSTART-') {
      if (words.length > 0) yield { line: first, words, tags }
      ;[words, tags] = [[], []]
      continue
    }
    if (columns.length < 2) {
      yield { line: number, reason: 'the line has no tag', content: text }
      continue
    }
    if (words.length === 0) first = number
    words.push(columns[0]!)
    tags.push(columns.at(-1)!)
  }
  if (words.length > 0) yield { line: first, words, tags }
}

/** Tokens of tagged words; the first token of a word has its tag, the others count for nothing. */
function tagTokens({ line, words, tags }: Sentence, tokenizer: Tokenizer, maxLength: number): LabelledExample {
  const { single } = tokenizer.frame ?? defaultFrame(tokenizer.special)
  const ids: number[] = []
  const labels: (string | null)[] = []
  words.forEach((word, w) => {
    const pieces = tokenizer.ids(word)
    // A word without tokens, e.g. of control characters, is one unknown token: its tag must not be lost.
    for (const [i, id] of (pieces.length > 0 ? pieces : [tokenizer.special.unk]).entries()) {
      ids.push(id)
      labels.push(i === 0 ? tags[w]! : null)
    }
  })
  const room = maxLength - single.filter((part) => 'id' in part).length
  const isCut = ids.length > room
  const [kept, keptLabels] = [ids.slice(0, room), labels.slice(0, room)]
  const placed = single.map((part) => ({
    ids: 'id' in part ? [part.id] : kept,
    labels: 'id' in part ? [null] : keptLabels,
    segment: part.segment,
  }))
  return {
    line,
    text: words.join(' '),
    features: {
      input_ids: placed.flatMap((part) => part.ids),
      token_type_ids: placed.flatMap((part) => part.ids.map(() => part.segment)),
      ...(isCut ? { isCut } : {}),
    },
    labels: placed.flatMap((part) => part.labels),
  }
}

/** Reads tagged sentences. */
export async function* readTagged(
  file: string,
  { tokenizer, maxLength }: ReadOptions,
): AsyncGenerator<LabelledExample | BadLine> {
  for await (const one of sentences(file)) yield 'reason' in one ? one : tagTokens(one, tokenizer, maxLength)
}
