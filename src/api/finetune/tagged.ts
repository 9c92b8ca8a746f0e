import type { BadLine } from '../../text/data/examples.js'
import { sentencesOf, wordFeatures } from '../../text/data/sentences.js'
import { readLines } from '../input/lines.js'
import type { LabelledExample, ReadOptions } from './labelled.js'

/** Reads tagged sentences; the first token of a word has its tag, the others count for nothing. */
export async function* readTagged(
  file: string,
  { tokenizer, maxLength }: ReadOptions,
): AsyncGenerator<LabelledExample | BadLine> {
  for await (const { item } of sentencesOf(readLines(file))) {
    if ('reason' in item) {
      yield item
      continue
    }
    const { features, firsts } = wordFeatures(tokenizer, item.words, maxLength)
    const labels = features.input_ids.map((): string | null => null)
    firsts.forEach((at, word) => {
      labels[at] = item.tags[word]!
    })
    yield { line: item.line, text: item.words.join(' '), features, labels }
  }
}
