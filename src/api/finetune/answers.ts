import { readFileSync } from 'node:fs'
import { unreadable } from '../../base/errors.js'
import type { BadLine } from '../../text/data/examples.js'
import { passageWindows } from '../../text/data/passages.js'
import { readSquad, type Question } from '../../text/data/squad.js'
import type { Token } from '../../text/tokenizers/tokenizer.js'
import type { LabelledExample, ReadOptions } from './labelled.js'

/** Tokens of an answer, counted in the passage; null if none of its characters are there. */
function tokensOf(tokens: readonly Token[], start: number, end: number): [first: number, last: number] | null {
  const first = tokens.findIndex((token) => token.end > start)
  const last = tokens.findLastIndex((token) => token.start < end)
  return first === -1 || last < first ? null : [first, last]
}

/** Tokens of the first answer; null if the question has none; a reason if it cannot be found. */
function answerTokens({ context, answers }: Question, tokens: readonly Token[]): [number, number] | null | string {
  const answer = answers?.[0]
  if (answers === null) return 'the question has no field answers'
  if (answer === undefined) return null
  if (answer.start === null) return 'the answer has no answer_start'
  // Offsets count code points, as Python's strings and our tokens do.
  const end = answer.start + Array.from(answer.text).length
  if (Array.from(context).slice(answer.start, end).join('') !== answer.text)
    return 'the answer is not where answer_start says'
  return tokensOf(tokens, answer.start, end) ?? 'the answer has no tokens'
}

/**
 * Inputs and answers of a question, one for each window of its passage; a reason if it cannot be used. The answer of a
 * window that does not hold all of it is [CLS], as that of a question without an answer (run_squad.py).
 */
function* encode(question: Question, line: number, { tokenizer, maxLength }: ReadOptions) {
  const tokens = tokenizer.encode(question.context)
  const found = answerTokens(question, tokens)
  const windows = passageWindows(tokenizer, question.question, tokens, { maxLength })
  const reason = typeof found === 'string' ? found : null
  if (reason !== null || windows.length === 0) {
    yield { line, reason: reason ?? 'the question leaves no room for its passage', content: question.question }
    return
  }
  const [from, to] = found === null || typeof found === 'string' ? [-1, -1] : found
  for (const { features, at, first, count } of windows) {
    const isInside = from >= first && to < first + count
    const span = isInside ? ([at + from - first, at + to - first] as const) : ([0, 0] as const)
    yield { line, text: `${question.question}\t${question.context}`, labels: [], features, span }
  }
}

/** @throws AlbertkitError `usage` if the file cannot be read, `malformed` if it is something else */
function questionsIn(file: string): Question[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw unreadable('the questions', file, error)
  }
  return readSquad(text, file)
}

/** Reads questions with their answers; `line` is the number of the question. */
// eslint-disable-next-line @typescript-eslint/require-await -- read like the lines of other files
export async function* readAnswers(file: string, options: ReadOptions): AsyncGenerator<LabelledExample | BadLine> {
  for (const [i, question] of questionsIn(file).entries()) yield* encode(question, i + 1, options)
}
