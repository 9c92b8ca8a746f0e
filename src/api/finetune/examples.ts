import { usage } from '../../base/errors.js'
import { isBad, type BadLine } from '../../text/data/examples.js'
import { makeFeatures } from '../../text/data/features.js'
import { readLines } from '../input/lines.js'
import { namedLabels } from '../inference/evaluate-labels.js'
import { lineEntries } from '../inference/entries.js'
import { readerOf } from '../inference/job.js'
import type { LabelledExample, ReadOptions } from './labelled.js'
import { readAnswers } from './answers.js'
import { readTagged } from './tagged.js'

/** Examples and unusable lines of a file of labelled lines. */
export interface ExampleSet {
  readonly file: string
  readonly examples: readonly LabelledExample[]
  readonly bad: readonly BadLine[]
  /** Examples whose text was truncated. */
  readonly cut: number
  /** Tokens without special tokens, and those of them that the vocabulary lacks. */
  readonly tokens: number
  readonly unknown: number
}

/** Examples of a file of labelled lines. */
async function* labelledLines(file: string, options: ReadOptions): AsyncGenerator<LabelledExample | BadLine> {
  const { job, tokenizer, maxLength, limits, task } = options
  const reader = readerOf({ ...job, input: file })
  for await (const { item } of lineEntries(readLines(file), reader, limits)) {
    if (item === null) continue
    if (isBad(item)) {
      yield item
      continue
    }
    if (item.label === null) {
      yield { line: item.line, reason: 'the line has no label', content: item.text }
      continue
    }
    yield {
      line: item.line,
      text: item.textB === null ? item.text : `${item.text}\t${item.textB}`,
      features: makeFeatures(tokenizer, item.text, item.textB, maxLength),
      labels: task === 'multi-label' ? namedLabels(item.label, options.known) : [item.label],
    }
  }
}

/** Reads a file of labelled examples. @throws AlbertkitError `usage` if none of its lines can be used */
export async function readExamples(file: string, options: ReadOptions): Promise<ExampleSet> {
  const { tokenizer, task } = options
  const examples: LabelledExample[] = []
  const bad: BadLine[] = []
  let [cut, tokens, unknown] = [0, 0, 0]
  const { cls, sep, unk } = tokenizer.special
  const readers = { 'token-classification': readTagged, qa: readAnswers } as const
  const read = task === 'qa' || task === 'token-classification' ? readers[task] : labelledLines
  const items = read(file, options)
  for await (const item of items) {
    if (isBad(item)) {
      bad.push(item)
      continue
    }
    examples.push(item)
    if (item.features.isCut === true) cut++
    for (const id of item.features.input_ids) {
      if (id === cls || id === sep) continue
      tokens++
      if (id === unk) unknown++
    }
  }
  if (examples.length > 0) return { file, examples, bad, cut, tokens, unknown }
  const [first] = bad
  throw usage(`no line of the file can be used${first === undefined ? '' : `; line ${first.line}: ${first.reason}`}`, {
    code: 'text-unusable',
    file,
    hint: 'a line is label<TAB>text; `header`, `labelColumn` and `textColumn` say otherwise',
  })
}

/** Labels of a set in a stable order: by number if all are numbers, else by their characters. */
export function labelsIn({ examples }: Pick<ExampleSet, 'examples'>): string[] {
  const found = [...new Set(examples.flatMap(({ labels }) => labels))].filter((label) => label !== null)
  return found.every((label) => /^\d+$/.test(label))
    ? found.sort((a, b) => Number(a) - Number(b))
    : found.sort((a, b) => (a < b ? -1 : 1))
}
