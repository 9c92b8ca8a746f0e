import { readFileSync } from 'node:fs'
import { malformed, unreadable } from '../../base/errors.js'
import type { BadLine } from '../../text/data/examples.js'
import { defaultFrame, type Token } from '../../text/tokenizers/tokenizer.js'
import * as z from '../../vendor/zod.js'
import type { LabelledExample, ReadOptions } from './labelled.js'

/**
 * Questions about paragraphs, in the format of SQuAD (1.1 and 2.0): an answer is a part of its paragraph. A question
 * without an answer has the span of [CLS], as in run_squad.py.
 */

const SQUAD = z.object({
  data: z.array(
    z.object({
      paragraphs: z.array(
        z.object({
          context: z.string(),
          qas: z.array(
            z.object({
              question: z.string(),
              answers: z.array(z.object({ text: z.string(), answer_start: z.int() })),
            }),
          ),
        }),
      ),
    }),
  ),
})

interface Question {
  readonly context: string
  readonly question: string
  /** The first answer; null if there is none. */
  readonly answer: { readonly text: string; readonly answer_start: number } | null
}

/** @throws AlbertkitError `usage` if the file cannot be read, `malformed` if it is something else */
function questionsIn(file: string): Question[] {
  let fields: unknown
  try {
    fields = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw unreadable('the questions', file, error)
    throw malformed(`the file is not JSON: ${error.message}`, { code: 'record-invalid', file })
  }
  const parsed = SQUAD.safeParse(fields)
  if (!parsed.success) {
    const field = (parsed.error.issues[0]?.path ?? []).join('.')
    throw malformed(`the file is not in the format of SQuAD: see ${field === '' ? 'data' : field}`, {
      code: 'record-invalid',
      file,
      hint: 'data[].paragraphs[].{context, qas[].{question, answers[].{text, answer_start}}}',
    })
  }
  return parsed.data.data.flatMap(({ paragraphs }) =>
    paragraphs.flatMap(({ context, qas }) =>
      qas.map(({ question, answers }) => ({ context, question, answer: answers[0] ?? null })),
    ),
  )
}

/** Tokens of an answer, counted in the paragraph; null if none of its characters are there. */
function tokensOf(tokens: readonly Token[], start: number, end: number): [first: number, last: number] | null {
  const first = tokens.findIndex((token) => token.end > start)
  const last = tokens.findLastIndex((token) => token.start < end)
  return first === -1 || last < first ? null : [first, last]
}

/** Inputs and answer of a question; a reason if the answer cannot be found. */
function encode({ context, question, answer }: Question, { tokenizer, maxLength }: ReadOptions) {
  const { pair } = tokenizer.frame ?? defaultFrame(tokenizer.special)
  const tokens = tokenizer.encode(context)
  const asked = tokenizer.ids(question)
  const room = maxLength - pair.filter((part) => 'id' in part).length - asked.length
  if (room < 1) return 'the question leaves no room for its paragraph'
  const kept = tokens.slice(0, room)
  let offset = 0
  const placed = pair.map((part) => {
    const ids = 'id' in part ? [part.id] : part.text === 'a' ? asked : kept.map(({ id }) => id)
    const at = offset
    offset += ids.length
    return { ids, at, segment: part.segment, isParagraph: 'text' in part && part.text === 'b' }
  })
  const features = {
    input_ids: placed.flatMap(({ ids }) => ids),
    token_type_ids: placed.flatMap(({ ids, segment }) => ids.map(() => segment)),
    ...(kept.length < tokens.length ? { isCut: true } : {}),
  }
  if (answer === null) return { features, span: [0, 0] as const }
  // Offsets count code points, as Python's strings and our tokens do.
  const points = Array.from(context)
  const start = answer.answer_start
  const text = Array.from(answer.text)
  if (points.slice(start, start + text.length).join('') !== answer.text)
    return 'the answer is not where answer_start says'
  const found = tokensOf(kept, start, start + text.length)
  if (found === null || start + text.length > (kept.at(-1)?.end ?? 0))
    return 'the answer is in the part that is truncated'
  const first = placed.find(({ isParagraph }) => isParagraph)?.at ?? 0
  return { features, span: [first + found[0], first + found[1]] as const }
}

/** Reads questions with their answers; `line` is the number of the question. */
// eslint-disable-next-line @typescript-eslint/require-await -- read like the lines of other files
export async function* readAnswers(file: string, options: ReadOptions): AsyncGenerator<LabelledExample | BadLine> {
  for (const [i, question] of questionsIn(file).entries()) {
    const encoded = encode(question, options)
    const line = i + 1
    if (typeof encoded === 'string') yield { line, reason: encoded, content: question.question }
    else yield { line, text: `${question.question}\t${question.context}`, labels: [], ...encoded }
  }
}
