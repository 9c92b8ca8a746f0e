import { isBad, type BadLine, type Example, type ExampleReader } from '../../../text/data/examples.js'
import type { Line } from '../../../text/data/lines.js'
import { passageWindows, type PassageOptions } from '../../../text/data/passages.js'
import type { Question } from '../../../text/data/squad.js'
import type { Token } from '../../../text/tokenizers/tokenizer.js'
import { entriesOf, lineEntries, pairMisfit, type Entry } from '../entries.js'
import type { TextModel } from '../text-model.js'

type Reader = Pick<TextModel, 'tokenizer' | 'maxLength' | 'limits'>

/** Windows of a question as examples; they share its line. */
export function* windowsOf(
  model: Reader,
  line: number,
  question: Question,
  tokens: readonly Token[],
  options: PassageOptions,
): Generator<Example | BadLine> {
  const { question: text, context } = question
  const misfit = pairMisfit(model.limits)
  const windows = misfit === null ? passageWindows(model.tokenizer, text, tokens, options) : []
  if (windows.length === 0) {
    yield { line, reason: misfit ?? 'the question leaves no room for its passage', content: text }
    return
  }
  for (const [i, window] of windows.entries()) {
    const passage = { question, tokens, window, isLast: i === windows.length - 1 }
    yield { line, text, textB: context, label: null, features: window.features, passage }
  }
}

/** Tokenizes each passage once, although many questions may be asked about it. */
class PassageTokens {
  #context: string | null = null
  #tokens: readonly Token[] = []

  constructor(readonly model: Reader) {}

  of(context: string): readonly Token[] {
    if (context !== this.#context) this.#tokens = this.model.tokenizer.encode(context)
    this.#context = context
    return this.#tokens
  }
}

function* squadWindows(
  questions: readonly Question[],
  model: Reader,
  docStride: number | undefined,
): Generator<Example | BadLine> {
  const passages = new PassageTokens(model)
  const options = { maxLength: model.maxLength, docStride }
  for (const [i, question] of questions.entries())
    yield* windowsOf(model, i + 1, question, passages.of(question.context), options)
}

/** Questions of a file in the format of SQuAD; a question's number serves as its line number. */
export const squadEntries = (
  questions: readonly Question[],
  model: Reader,
  docStride: number | undefined,
): AsyncGenerator<Entry> => entriesOf(squadWindows(questions, model, docStride))

export interface QuestionOptions {
  /** Passage of all questions without one. */
  readonly context?: string | undefined
  readonly docStride?: number | undefined
}

/** Questions, one a line, with the passage in the second column or given for all. */
export async function* questionEntries(
  lines: AsyncIterable<Line>,
  reader: ExampleReader,
  model: Reader,
  { context, docStride }: QuestionOptions,
): AsyncGenerator<Entry> {
  const passages = new PassageTokens(model)
  const options = { maxLength: model.maxLength, docStride }
  // A model without a second segment is refused with each question.
  const anyPair = { ...model.limits, segments: 2 }
  for await (const entry of lineEntries(lines, reader, anyPair)) {
    const { item, number } = entry
    if (item === null || isBad(item)) {
      yield entry
      continue
    }
    const passage = item.textB ?? context
    if (passage === undefined) {
      const reason = 'the question has no passage: `context` gives one for all'
      yield { ...entry, item: { line: number, reason, content: item.text } }
      continue
    }
    const question: Question = { id: null, question: item.text, context: passage, answers: null }
    for (const window of windowsOf(model, number, question, passages.of(passage), options))
      yield { ...entry, item: window }
  }
}
