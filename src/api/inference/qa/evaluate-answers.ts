import { usage } from '../../../base/errors.js'
import { isBad, type BadLine } from '../../../text/data/examples.js'
import type { AnswerScores } from '../report.js'
import type { PassageAnswer } from './predict-answers.js'

/** Each Han character is a word: Chinese answers have no spaces. */
const HAN = /(\p{Script=Han})/gu
const PUNCTUATION = /[\p{P}\p{S}]/gu

/** Words of an answer as SQuAD's evaluation compares them: lower case, without punctuation and articles. */
export const answerWords = (text: string): string[] =>
  text
    .toLowerCase()
    .replace(PUNCTUATION, '')
    .replace(/\b(a|an|the)\b/g, ' ')
    .replace(HAN, ' $1 ')
    .split(/\s+/)
    .filter((word) => word !== '')

/** F1 of the words that two answers share; of empty answers 1 if both are. */
export function wordF1(given: readonly string[], found: readonly string[]): number {
  if (given.length === 0 || found.length === 0) return given.length === found.length ? 1 : 0
  const left = new Map<string, number>()
  for (const word of given) left.set(word, (left.get(word) ?? 0) + 1)
  let same = 0
  for (const word of found) {
    const count = left.get(word) ?? 0
    if (count > 0) same++
    left.set(word, count - 1)
  }
  return same === 0 ? 0 : (2 * same) / (given.length + found.length)
}

/** Best scores of an answer over the right ones; the right answer to a question without one is the empty answer. */
function scoresOf(found: string, given: readonly string[]): { exact: number; f1: number } {
  const words = answerWords(found)
  const all = (given.length === 0 ? [''] : given).map(answerWords)
  return {
    exact: all.some((one) => one.join(' ') === words.join(' ')) ? 1 : 0,
    f1: Math.max(...all.map((one) => wordF1(one, words))),
  }
}

/**
 * Scores answers as SQuAD's evaluation does: exact match and F1, also for questions with and without answers.
 * @throws AlbertkitError `usage` if no question has answers
 */
export async function evaluateAnswers(
  answers: AsyncIterable<PassageAnswer | BadLine>,
  onBad: (bad: BadLine) => void,
): Promise<AnswerScores> {
  const sums = {
    all: { questions: 0, exact: 0, f1: 0 },
    answered: { questions: 0, exact: 0, f1: 0 },
    unanswered: { questions: 0, exact: 0, f1: 0 },
  }
  let bad = 0
  for await (const a of answers) {
    if (isBad(a) || a.given === null) {
      bad++
      onBad(isBad(a) ? a : { line: a.line, reason: 'the question has no answers', content: a.question })
      continue
    }
    const { exact, f1 } = scoresOf(a.answer, a.given)
    for (const sum of [sums.all, a.given.length === 0 ? sums.unanswered : sums.answered]) {
      sum.questions++
      sum.exact += exact
      sum.f1 += f1
    }
  }
  if (sums.all.questions === 0)
    throw usage('no question has answers', {
      code: 'labels-mismatch',
      hint: 'questions with answers are read from files in the format of SQuAD',
    })
  const mean = ({ questions, exact, f1 }: typeof sums.all) => ({
    questions,
    exactMatch: questions === 0 ? 0 : exact / questions,
    f1: questions === 0 ? 0 : f1 / questions,
  })
  return { ...mean(sums.all), withAnswer: mean(sums.answered), withoutAnswer: mean(sums.unanswered), bad }
}
