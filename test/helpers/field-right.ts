import type { Result } from './run.js'

/**
 * The language in which `../shared/fixtures/field/README.md` says what a command should answer: `right` of each check
 * of `expect.json`. `violations` gives the keys that do not hold, so that a failing test says which.
 */

type Numbers = readonly number[] | Readonly<Record<string, number>>

/** Keys of `right`, all of which must hold. */
export interface Right {
  readonly exit?: number | readonly number[]
  readonly probabilities?: readonly Numbers[]
  readonly tokens?: readonly (readonly string[])[]
  readonly vectors?: readonly (readonly number[])[]
  readonly cosine?: number
  readonly best?: readonly string[]
  readonly tags?: readonly (readonly string[])[]
  readonly figures?: Readonly<Record<string, number>>
  readonly mentions?: readonly (string | readonly string[])[]
  readonly not?: readonly string[]
  readonly atol?: number
}

/** Output of a check: of its last command, and the words of all of them. */
export interface Answer {
  readonly exit: number | null
  /** Standard output of the last command. */
  readonly stdout: string
  /** Both streams of every command. */
  readonly words: string
}

/** Joins the results of a command and of the one after it. */
export const answerOf = (results: readonly Result[]): Answer => ({
  exit: results.at(-1)!.code,
  stdout: results.at(-1)!.stdout,
  words: results.map(({ stdout, stderr }) => `${stdout}\n${stderr}`).join('\n'),
})

type Fields = Readonly<Record<string, unknown>>
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** JSON documents of an output: the whole of it, or one a line; lines that are no JSON are left out. */
function documents(text: string): unknown[] {
  try {
    return [JSON.parse(text) as unknown]
  } catch {
    return text.split('\n').flatMap((line) => {
      try {
        return [JSON.parse(line) as unknown]
      } catch {
        return []
      }
    })
  }
}

/** Records of an output: its documents, arrays taken apart. */
const records = (text: string): Fields[] => documents(text).flat().filter(isFields)

/** Every value below a key that `matches`, at any depth, in the order of the document. */
function below(value: unknown, matches: (key: string) => boolean): unknown[] {
  if (Array.isArray(value)) return value.flatMap((part) => below(part, matches))
  if (!isFields(value)) return []
  return Object.entries(value).flatMap(([key, part]) => (matches(key) ? [part] : below(part, matches)))
}

const numbersIn = (value: unknown): number[] => {
  if (typeof value === 'number') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(numbersIn)
}

const isNear = (actual: unknown, expected: number, atol: number): boolean =>
  typeof actual === 'number' && Math.abs(actual - expected) <= atol

const areNear = (actual: readonly number[], expected: readonly number[], atol: number): boolean =>
  actual.length === expected.length && expected.every((x, i) => isNear(actual[i], x, atol))

/** The numbers of a line by label: an object of numbers, or a list of objects with a label and a number. */
function byLabel(value: unknown): Map<string, number> {
  const found = new Map<string, number>()
  const visit = (part: unknown): void => {
    if (Array.isArray(part)) for (const item of part) visit(item)
    if (!isFields(part)) return
    const label = Object.values(part).find((x) => typeof x === 'string')
    const number = Object.values(part).find((x) => typeof x === 'number')
    if (label !== undefined && number !== undefined) found.set(label, number)
    else for (const [key, x] of Object.entries(part)) if (typeof x === 'number') found.set(key, x)
  }
  visit(value)
  return found
}

const isScore = (key: string): boolean => /prob|score/i.test(key)

function probabilitiesHold(stdout: string, expected: readonly Numbers[], atol: number): boolean {
  const rows = records(stdout)
    .map((record) => below(record, isScore))
    .filter((values) => numbersIn(values).length > 0)
  if (rows.length !== expected.length) return false
  return expected.every((row, i) => {
    if (Array.isArray(row)) return areNear(numbersIn(rows[i]), row as readonly number[], atol)
    const labelled = byLabel(rows[i])
    return Object.entries(row).every(([label, x]) => isNear(labelled.get(label), x, atol))
  })
}

function vectorsHold(stdout: string, expected: readonly (readonly number[])[], atol: number): boolean {
  const rows = records(stdout).map(numbersIn)
  return rows.length === expected.length && expected.every((row, i) => areNear(rows[i]!, row, atol))
}

/** A list of strings of the record, or one field of a list of objects. */
function holdsTags(record: Fields, tags: readonly string[]): boolean {
  const same = (list: readonly unknown[]): boolean => list.length === tags.length && tags.every((t, i) => t === list[i])
  return Object.values(record).some((value) => {
    if (!Array.isArray(value)) return false
    if (same(value)) return true
    const items = value.filter(isFields)
    return items.length === value.length && Object.keys(items[0] ?? {}).some((key) => same(items.map((x) => x[key])))
  })
}

function figuresHold(stdout: string, expected: Readonly<Record<string, number>>, atol: number): boolean {
  const parsed = documents(stdout)
  return Object.entries(expected).every(([name, x]) => {
    const found = below(parsed, (key) => key.toLowerCase().includes(name.toLowerCase())).filter(
      (value) => typeof value === 'number',
    )
    return found.length > 0 && found.every((value) => isNear(value, x, atol))
  })
}

/** The words that were printed, without the paths and flags of the command line. */
const saidOf = (words: string, given: readonly string[]): string =>
  [...given]
    .sort((a, b) => b.length - a.length)
    .reduce((text, part) => text.replaceAll(part, ' '), words)
    .toLowerCase()

const hasStackTrace = (words: string): boolean => /^\s+at .*:\d+:\d+\)?$/m.test(words)

/**
 * Keys of `right` that do not hold of an answer; empty if it is right.
 * @param given paths and flags of the command line, which do not count as mentioned
 */
export function violations(right: Right, answer: Answer, given: readonly string[]): string[] {
  const { exit, stdout, words } = answer
  const { atol = 1e-4 } = right
  const said = saidOf(words, given)
  const holds: Record<string, () => boolean> = {
    exit: () => right.exit === undefined || [right.exit].flat().includes(exit!),
    probabilities: () => right.probabilities === undefined || probabilitiesHold(stdout, right.probabilities, atol),
    tokens: () =>
      right.tokens === undefined ||
      JSON.stringify(records(stdout).map(({ tokens }) => tokens)) === JSON.stringify(right.tokens),
    vectors: () => right.vectors === undefined || vectorsHold(stdout, right.vectors, atol),
    cosine: () => {
      const numbers = stdout.match(/-?\d+(\.\d+)?(e[+-]?\d+)?/gi) ?? []
      return right.cosine === undefined || (numbers.length === 1 && isNear(Number(numbers[0]), right.cosine, atol))
    },
    best: () => {
      const found = documents(stdout).flatMap((document) => below(document, (key) => key === 'token'))
      return right.best === undefined || JSON.stringify(found) === JSON.stringify(right.best)
    },
    tags: () => {
      const rows = records(stdout)
      const { tags } = right
      return tags === undefined || (rows.length === tags.length && tags.every((row, i) => holdsTags(rows[i]!, row)))
    },
    figures: () => right.figures === undefined || figuresHold(stdout, right.figures, atol),
    mentions: () => (right.mentions ?? []).every((m) => [m].flat().some((word) => said.includes(word.toLowerCase()))),
    not: () => (right.not ?? []).every((word) => !said.includes(word.toLowerCase())),
    'no stack trace': () => !hasStackTrace(words),
  }
  const values = new Set(['probabilities', 'tokens', 'vectors', 'cosine', 'best', 'tags', 'figures'])
  const counts = exit === 0 || exit === 3
  return Object.entries(holds)
    .filter(([key, test]) => (values.has(key) && !counts && key in right) || !test())
    .map(([key]) => key)
}
