import { parseJson } from '../../base/json-text.js'
import { malformed } from '../../base/errors.js'
import * as z from '../../vendor/zod.js'

/** Questions about paragraphs, in the format of SQuAD (1.1 and 2.0): an answer is a part of its paragraph. */

const QUESTION = z.object({
  id: z.optional(z.union([z.string(), z.number()])),
  question: z.string(),
  answers: z.optional(z.array(z.object({ text: z.string(), answer_start: z.optional(z.int()) }))),
  is_impossible: z.optional(z.boolean()),
})

const SQUAD = z.object({
  data: z.array(z.object({ paragraphs: z.array(z.object({ context: z.string(), qas: z.array(QUESTION) })) })),
})

export interface Question {
  readonly id: string | null
  readonly question: string
  readonly context: string
  /** Right answers with their start in the context, in code points; null if not given, empty if there is no answer. */
  readonly answers: readonly { readonly text: string; readonly start: number | null }[] | null
}

/** Beginning of a file in the format of SQuAD. */
const HEAD = /^\uFEFF?\s*\{\s*(?:"version"\s*:\s*"[^"]*"\s*,\s*)?"data"\s*:\s*(\[|$)/

/** True if a text begins as a file in the format of SQuAD. */
export const isSquad = (head: string): boolean => HEAD.test(head) && /"paragraphs"\s*:\s*\[/.test(head)

/** Reads the questions of a file. @throws AlbertkitError `malformed` if it is something else */
export function readSquad(text: string, file: string): Question[] {
  let fields: unknown
  try {
    fields = parseJson(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
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
      qas.map(({ id, question, answers, is_impossible }) => ({
        id: id === undefined ? null : String(id),
        question,
        context,
        answers:
          is_impossible === true
            ? []
            : (answers?.map(({ text: answer, answer_start }) => ({ text: answer, start: answer_start ?? null })) ??
              null),
      })),
    ),
  )
}
