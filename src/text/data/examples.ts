import { parseJson } from '../../base/json-text.js'
import { usage } from '../../base/errors.js'
import { readClue } from './clue.js'
import { CsvError, csvFields, csvRecords } from './csv.js'
import type { Features } from './features.js'
import type { Line } from './lines.js'
import type { PassageWindow } from './passages.js'
import { isSquad, type Question } from './squad.js'
import type { Token } from '../tokenizers/tokenizer.js'
import { Unusable } from './unusable.js'

/** A text to classify, with its label if one is given. */
export interface Example {
  readonly line: number
  readonly text: string
  readonly textB: string | null
  readonly label: string | null
  /** Second name of the label; CLUE's files have one in addition to a numeric label. */
  readonly labelName?: string
  /** Inputs of the model, if they were made already; otherwise they are made from the texts. */
  readonly features?: Features
  /** Words or tokens to tag. */
  readonly tagged?: TaggedTokens
  /** Window of a passage that may answer a question. */
  readonly passage?: PassagePart
}

/** Words or tokens of a text, in its order. */
export interface TaggedTokens {
  readonly tokens: readonly Pick<Token, 'token' | 'start' | 'end'>[]
  /** Index in `input_ids` of each, or of its first token; those that were truncated have none. */
  readonly at: readonly number[]
  /** True for a token that continues the word of the token before. */
  readonly continues: readonly boolean[]
  /** Right tags, if they are given. */
  readonly tags: readonly string[] | null
}

/** One window of the passage of a question. */
export interface PassagePart {
  readonly question: Question
  /** Tokens of the whole passage. */
  readonly tokens: readonly Token[]
  readonly window: PassageWindow
  /** True for the last window of the question. */
  readonly isLast: boolean
}

/** A line that could not be used, and why. */
export interface BadLine {
  readonly line: number
  readonly reason: string
  readonly content: string
}

export const EXAMPLE_FORMATS = ['lines', 'tsv', 'csv', 'jsonl'] as const
export type ExampleFormat = (typeof EXAMPLE_FORMATS)[number]

/**
 * Format of an input: lines of text, records of features, tagged words (`conll`: a word and its tag a line, an empty
 * line after each sentence), or questions about paragraphs (`squad`).
 */
export const INPUT_FORMATS = [...EXAMPLE_FORMATS, 'tfrecord', 'conll', 'squad'] as const
export type InputFormat = (typeof INPUT_FORMATS)[number]

export const isExampleFormat = (format: InputFormat): format is ExampleFormat =>
  (EXAMPLE_FORMATS as readonly string[]).includes(format)

/** Column, by its number (from 1) or by its name in the header or the JSON object. */
export type Column = number | string

export interface ExampleOptions {
  readonly format: ExampleFormat
  /** True if the first line names the columns. */
  readonly header?: boolean
  readonly textColumn?: Column
  readonly textBColumn?: Column
  readonly labelColumn?: Column
  /** True if lines are questions: the columns are question and context, and there is no label. */
  readonly questions?: boolean
}

/** Format of a file by its extension; plain lines if the extension is unknown. */
export function formatOf(path: string): ExampleFormat {
  if (/\.tsv$/i.test(path)) return 'tsv'
  if (/\.csv$/i.test(path)) return 'csv'
  return /\.(jsonl|ndjson)$/i.test(path) ? 'jsonl' : 'lines'
}

/** Format of a file by its extension. */
export function inputFormatOf(path: string): InputFormat {
  if (/\.tf_?records?$/i.test(path)) return 'tfrecord'
  return /\.(conll\w*|bio|iob2?|bioes|bmes)$/i.test(path) ? 'conll' : formatOf(path)
}

/** True if a line is a JSON object. */
function isObjectLine(line: string): boolean {
  if (!line.trimStart().startsWith('{')) return false
  try {
    return typeof parseJson(line) === 'object'
  } catch {
    return false
  }
}

/** Beginning of a list of objects; in a file that is JSON by its name, of any list. */
const OBJECTS = /^\s*\[\s*\{\s*"/
const LIST = /^\s*\[\s*([[{"\d\-tfn\]]|$)/
/** Start of an object that continues on the following lines. */
const SPREAD = /^\s*\{\s*(\r?\n\s*"(?:[^"\\\n]|\\.)*"\s*:|$)/

const ONE_A_LINE =
  "write one object per line, e.g. with `jq -c '.[]'`; `inputFormat: lines` reads the file as plain text"

/**
 * Refuses a file that is one JSON value if lines are expected.
 * @param head beginning of its text
 * @throws AlbertkitError `usage` if it is one array, or one object over several lines
 */
export function refuseWholeJson(head: string, path: string): void {
  const isJson = /\.json$/i.test(path)
  const text = head.replace(/^\uFEFF/, '')
  const isArray = OBJECTS.test(text) || (isJson && LIST.test(text))
  const isObject =
    SPREAD.test(text) || (isJson && /^\s*\{/.test(text) && !isObjectLine(text.split(/\r?\n/, 1)[0] ?? ''))
  if (!isArray && !isObject) return
  const what = isArray ? 'one JSON array' : 'one JSON object over several lines'
  throw usage(`the file is ${what}, not one JSON object per line`, {
    code: 'text-unusable',
    file: path,
    hint: ONE_A_LINE,
  })
}

/**
 * Format of a file by its extension, else by the beginning of its text: JSON lines if the first line is an object.
 * @throws AlbertkitError `usage` if the file is one JSON value
 */
export function formatByContents(head: string, path: string): InputFormat {
  const named = inputFormatOf(path)
  if (named === 'lines' && isSquad(head)) return 'squad'
  if (named !== 'lines' && named !== 'jsonl') return named
  refuseWholeJson(head, path)
  return isObjectLine(head.replace(/^\uFEFF/, '').split(/\r?\n/, 1)[0] ?? '') ? 'jsonl' : named
}

/** run_classifier reads `csv.reader(f, delimiter="\t", quotechar=None)`: quotes are characters like any other. */
const splitters = { tsv: (text: string): string[] => text.split('\t'), csv: csvFields } as const

const NAMES = {
  label: ['label', 'class', 'category', 'labels', 'score'],
  labelName: ['label_des', 'label_desc'],
  text: ['text', 'text_a', 'sentence', 'sentence1'],
  textB: ['text_b', 'sentence2'],
  question: ['question'],
  context: ['context'],
} as const

/** Reads examples from lines; remembers the header of the file. */
export class ExampleReader {
  #header: readonly string[] | null = null

  constructor(readonly options: ExampleOptions) {}

  /**
   * Reads the example of a line; null for the header, a `BadLine` if the line cannot be used. If the file has a header,
   * it must be read first, even if only a later part of the file is read.
   * @throws AlbertkitError `usage` if a requested column name is not in the header
   */
  read({ number, text, valid = true }: Line): Example | BadLine | null {
    try {
      const { format, header = false } = this.options
      if (!valid) throw new Unusable('the line is not UTF-8 (if it is GB18030, convert it with iconv)')
      if (format === 'lines') return { line: number, text, textB: null, label: null }
      if (format === 'jsonl') return this.#object(number, text)
      if (header && number === 1) {
        this.#header = splitters[format](text)
        return null
      }
      if (text === '') throw new Unusable('the line is empty')
      return this.#columns(number, splitters[format](text))
    } catch (error) {
      if (!(error instanceof Unusable || error instanceof CsvError)) throw error
      return { line: number, reason: error.message, content: text }
    }
  }

  #index(column: Column | undefined, names: readonly string[], otherwise: number | null, width: number): number | null {
    if (column === undefined) {
      const named = this.#header?.findIndex((name) => names.includes(name.trim().toLowerCase())) ?? -1
      return named === -1 ? otherwise : named
    }
    const index = typeof column === 'number' ? column - 1 : (this.#header?.indexOf(column) ?? -1)
    if (index < 0)
      throw usage(`there is no column ${column}`, {
        code: 'name-unknown',
        hint:
          this.#header === null
            ? 'columns are numbered from 1; with `header` the first line names them'
            : `columns: ${this.#header.join(', ')}`,
      })
    if (index >= width) throw new Unusable(`the line has ${width} columns, and column ${index + 1} is requested`)
    return index
  }

  #columns(line: number, fields: readonly string[]): Example {
    const width = fields.length
    const { textColumn, textBColumn, labelColumn, questions = false } = this.options
    if (questions) {
      const question = this.#index(textColumn, NAMES.question, 0, width)
      const context = this.#index(textBColumn, NAMES.context, width > 1 ? 1 : null, width)
      return { line, text: fields[question!] ?? '', textB: context === null ? null : fields[context]!, label: null }
    }
    // Default order: label, text, text_b, as in run_classifier's processors; a single column is the text.
    const chosen = textColumn !== undefined || this.#header !== null
    const label = this.#index(labelColumn, NAMES.label, !chosen && width > 1 ? 0 : null, width)
    const text = this.#index(textColumn, NAMES.text, width > 1 ? 1 : 0, width)
    const textB = this.#index(textBColumn, NAMES.textB, !chosen && width > 2 ? 2 : null, width)
    const field = (index: number | null): string | null => (index === null ? null : (fields[index] ?? null))
    return { line, text: field(text) ?? '', textB: field(textB), label: field(label) }
  }

  #object(line: number, text: string): Example {
    let value: unknown
    try {
      value = parseJson(text)
    } catch {
      throw new Unusable('the line is not JSON')
    }
    if (typeof value === 'string') return { line, text: value, textB: null, label: null }
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new Unusable('the line is not a JSON object')
    const object = value as Record<string, unknown>
    const field = (column: Column | undefined, names: readonly string[]): string | null => {
      const name = column === undefined ? names.find((key) => key in object) : String(column)
      const found = name === undefined ? undefined : object[name]
      if (found === undefined || found === null) return null
      // Spans (CLUENER) label no text.
      if (names === NAMES.label && typeof found === 'object' && !Array.isArray(found)) return null
      // Several labels at once.
      if (names === NAMES.label && Array.isArray(found)) return found.map(String).join(',')
      if (
        typeof found !== 'string' &&
        typeof found !== 'number' &&
        !(names === NAMES.label && found === Boolean(found))
      )
        throw new Unusable(`${name ?? ''} is not a string or a number`)
      return String(found)
    }
    const { textColumn, textBColumn, labelColumn, questions = false } = this.options
    const [names, namesB] = questions ? [NAMES.question, NAMES.context] : [NAMES.text, NAMES.textB]
    const hasColumns = textColumn !== undefined || textBColumn !== undefined
    const clue = questions || hasColumns ? null : readClue(object)
    const a = clue === null ? field(textColumn, names) : clue.text
    if (a === null) throw new Unusable(`the object has no field ${String(textColumn ?? names[0])}`)
    const labelName = labelColumn === undefined ? field(undefined, NAMES.labelName) : null
    const label = field(labelColumn, NAMES.label) ?? labelName
    return {
      line,
      text: a,
      textB: clue === null ? field(textBColumn, namesB) : clue.textB,
      label,
      ...(labelName === null || labelName === label ? {} : { labelName }),
    }
  }
}

/** Records of a file, one example each: a CSV record may span several lines. */
export const recordsOf = (lines: AsyncIterable<Line>, format: ExampleFormat): AsyncIterable<Line> =>
  format === 'csv' ? csvRecords(lines) : lines

export const isBad = (value: object): value is BadLine => 'reason' in value
