import { fieldsLine } from '../../../base/escape.js'
import { toJsonLine } from '../../../base/json-text.js'
import { isBad, type BadLine, type PassagePart } from '../../../text/data/examples.js'
import { float32Number, float32Text } from '../../../text/data/numbers.js'
import { continuesWord } from '../../../text/data/words.js'
import { HEADS } from '../../../model/tasks.js'
import { answers, type AnswerOptions } from '../answers.js'
import type { Entry } from '../entries.js'
import type { TextModel } from '../text-model.js'
import { bestSpan, type WindowSpan } from './best-span.js'

/** run_squad's default: tokens of an answer at most. */
export const MAX_ANSWER_LENGTH = 30

/** Answer to a question. */
export interface PassageAnswer {
  readonly line: number
  readonly reading: 'spans'
  readonly id: string | null
  readonly question: string
  /** Best span of the passage, whole words; empty if there is no answer. */
  readonly answer: string
  /** Characters of the passage, `[start, end)`, as Unicode code points; 0 and 0 if there is no answer. */
  readonly start: number
  readonly end: number
  /** Product of the probabilities of its start and its end. */
  readonly probability: number
  /**
   * Score of no answer ([CLS] as start and end) minus that of the best span: SQuAD 2's null score difference
   * (run_squad_v2).
   */
  readonly nullDifference: number
  /** Right answers, if they are given; empty if the question has none. */
  readonly given: readonly string[] | null
}

export interface SpanOptions {
  /** Tokens of an answer at most; default 30. */
  readonly maxAnswerLength?: number | undefined
  /** No answer is given if `nullDifference` is larger; default: there is always an answer. */
  readonly nullThreshold?: number | undefined
}

/** Whole words that a span touches, as characters of the passage. */
function characters({ tokens }: PassagePart, { first, last }: WindowSpan, continues: readonly boolean[]) {
  let [from, to] = [first, last]
  while (continues[from] === true) from--
  while (continues[to + 1] === true) to++
  return { start: tokens[from]!.start, end: tokens[to]!.end }
}

const OUTPUTS = { outputs: HEADS.qa.outputs, reduction: 'tokens' } as const

/** Answers the questions of an input, in order. */
export async function* answerEntries(
  model: TextModel,
  entries: AsyncIterable<Entry>,
  { maxAnswerLength = MAX_ANSWER_LENGTH, nullThreshold = Infinity, ...options }: AnswerOptions & SpanOptions = {},
): AsyncGenerator<PassageAnswer | BadLine> {
  let best: WindowSpan | null = null
  let none = Infinity
  for await (const answer of answers(model, OUTPUTS, entries, options)) {
    if (isBad(answer)) {
      yield answer
      continue
    }
    const { example, values } = answer
    const part = example.passage!
    const length = values.length / 2
    const logits = { starts: values.subarray(0, length), ends: values.subarray(length) }
    const own = bestSpan(logits, part, maxAnswerLength)
    if (own !== null && (best === null || own.probability > best.probability)) best = own
    none = Math.min(none, logits.starts[0]! + logits.ends[0]!)
    if (!part.isLast) continue
    const { question, tokens } = part
    const nullDifference = best === null ? Infinity : none - best.logit
    const isAnswered = best !== null && !(nullDifference > nullThreshold)
    const place = isAnswered ? characters(part, best!, continuesWord(tokens, model.tokenizer.kind)) : null
    yield {
      line: example.line,
      reading: 'spans',
      id: question.id,
      question: question.question,
      answer: place === null ? '' : Array.from(question.context).slice(place.start, place.end).join(''),
      start: place?.start ?? 0,
      end: place?.end ?? 0,
      probability: best?.probability ?? 0,
      nullDifference,
      given: question.answers?.map(({ text }) => text) ?? null,
    }
    ;[best, none] = [null, Infinity]
  }
}

/** Formats an answer as a line of output: JSON, or answer and probability in two columns. */
export function answerLine(a: PassageAnswer, format: 'jsonl' | 'tsv' | 'csv'): string {
  const { id, answer, start, end, probability, nullDifference } = a
  if (format !== 'jsonl') return fieldsLine(format, [answer.replaceAll(/[\t\r\n]/g, ' '), float32Text(probability)])
  return toJsonLine({
    ...(id === null ? {} : { id }),
    answer,
    start,
    end,
    probability: float32Number(probability),
    null_difference: Number.isFinite(nullDifference) ? float32Number(nullDifference) : null,
  })
}
