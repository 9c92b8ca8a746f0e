import { areSpanTags } from '../../../base/span-tag.js'
import { usage } from '../../../base/errors.js'
import { isBad, type BadLine } from '../../../text/data/examples.js'
import { crossEntropy } from '../../../text/data/numbers.js'
import { spansOf, type TagSpan } from '../../../text/data/tag-spans.js'
import { scoreOf, type Counts } from '../class-scores.js'
import type { ClassScore, TagScores } from '../report.js'
import type { Tagging } from './predict-tags.js'

const key = ({ type, first, last }: TagSpan): string => `${first} ${last} ${type}`

/** Sums of spans by type. */
class SpanCounts {
  readonly #types = new Map<string, { right: number; predicted: number; support: number }>()

  #of(type: string): { right: number; predicted: number; support: number } {
    const found = this.#types.get(type) ?? { right: 0, predicted: 0, support: 0 }
    this.#types.set(type, found)
    return found
  }

  add(given: readonly string[], predicted: readonly string[]): void {
    const [right, found] = [spansOf(given), spansOf(predicted)]
    const keys = new Set(right.map(key))
    for (const span of right) this.#of(span.type).support++
    for (const span of found) {
      const counts = this.#of(span.type)
      counts.predicted++
      if (keys.has(key(span))) counts.right++
    }
  }

  get classes(): ClassScore[] {
    return [...this.#types]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([label, c]) => ({ label, support: c.support, predicted: c.predicted, ...scoreOf(c) }))
  }

  get total(): Counts {
    const sum = { right: 0, predicted: 0, support: 0 }
    for (const c of this.#types.values()) {
      sum.right += c.right
      sum.predicted += c.predicted
      sum.support += c.support
    }
    return sum
  }
}

/**
 * Scores tags of words: the fraction of right tags, and precision, recall and F1 of spans as conlleval and seqeval
 * count them. Words that were truncated count for nothing.
 * @throws AlbertkitError `usage` if no sentence has tags that the model knows
 */
export async function evaluateTags(
  taggings: AsyncIterable<Tagging | BadLine>,
  labels: readonly string[] | null,
  onBad: (bad: BadLine) => void,
): Promise<TagScores> {
  const spans = new SpanCounts()
  let [sentences, words, right, known, loss, cut, bad] = [0, 0, 0, 0, 0, 0, 0]
  const seen = new Set<string>()
  for await (const t of taggings) {
    if (isBad(t) || t.given === null) {
      bad++
      onBad(isBad(t) ? t : { line: t.line, reason: 'the sentence has no tags', content: t.text })
      continue
    }
    const predicted = t.tokens.map(({ tag }) => tag)
    const given = t.given.slice(0, predicted.length)
    cut += t.given.length - given.length
    sentences++
    given.forEach((tag, i) => {
      seen.add(tag)
      words++
      if (tag === predicted[i]) right++
      const index = labels?.indexOf(tag) ?? -1
      if (index === -1) return
      known++
      loss += crossEntropy(t.logits[i]!, index)
    })
    spans.add(given, predicted)
  }
  if (known === 0)
    throw usage('no word has a tag that the model knows', {
      code: 'labels-mismatch',
      hint: 'a line is a word and its tag, an empty line ends a sentence; `labels` names the tags',
    })
  const { classes, total } = spans
  const macro = (of: (c: ClassScore) => number): number =>
    classes.length === 0 ? 0 : classes.reduce((sum, c) => sum + of(c), 0) / classes.length
  return {
    sentences,
    words,
    accuracy: right / words,
    loss: loss / known,
    spans: areSpanTags([...(labels ?? []), ...seen])
      ? {
          micro: scoreOf(total),
          macro: { precision: macro((c) => c.precision), recall: macro((c) => c.recall), f1: macro((c) => c.f1) },
          types: classes,
        }
      : null,
    truncatedWords: cut,
    bad,
  }
}
