import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { explained } from '../../formats/core/explain.js'
import { openLocated } from '../../formats/core/open.js'
import { readLines } from '../../text/data/lines.js'
import { findTokenizer, loadTokenizer, type LoadTokenizerOptions } from '../../text/tokenizers/load.js'
import type { Tokenizer } from '../../text/tokenizers/tokenizer.js'
import { openModel } from '../open/open.js'
import { findLabels, readLabelLines, readLabels } from '../labels.js'
import type { TokenizedLine } from './report.js'

export interface TokenizeOptions extends LoadTokenizerOptions {
  /** Put `[CLS]` in front and `[SEP]` behind. */
  readonly special?: boolean
}

/** A vocabulary by its name, and not a model. */
const isVocabularyFile = (path: string): boolean => /\.(txt|model|json)$/.test(path) && !path.endsWith('.index.json')

/**
 * The tokenizer of a vocabulary, of a directory that holds one, or of a model.
 * @throws AlbertkitError `usage` where there is none
 */
export async function tokenizerOf(path: string, options: LoadTokenizerOptions = {}): Promise<Tokenizer> {
  try {
    return await findTokenizerOf(path, options)
  } catch (error) {
    throw explained(error)
  }
}

async function findTokenizerOf(path: string, options: LoadTokenizerOptions): Promise<Tokenizer> {
  if (existsSync(path)) {
    if (!statSync(path).isDirectory()) {
      if (isVocabularyFile(path)) return loadTokenizer(path, options)
    } else if (findTokenizer(path) !== null) return loadTokenizer(path, options)
  }
  const { source, directories } = await openLocated(path)
  try {
    const directory = directories.find((d) => findTokenizer(d) !== null) ?? directories[0] ?? dirname(path)
    return loadTokenizer(directory, options)
  } finally {
    source.close()
  }
}

/** Names of the classes beside a vocabulary, or of a model; null where there are none. */
export async function labelsBeside(path: string): Promise<readonly string[] | null> {
  const directory = existsSync(path) && statSync(path).isDirectory() ? path : dirname(path)
  const file = findLabels(directory)
  if (file !== null) return readLabelLines(file)
  if (isVocabularyFile(path) || !existsSync(join(directory, 'config.json'))) return null
  const opened = await openModel(path)
  try {
    return readLabels(opened.directory, opened.config)
  } finally {
    opened.close()
  }
}

export function tokenizeLine(tokenizer: Tokenizer, text: string, special = false): TokenizedLine {
  const found = tokenizer.encode(text)
  const { cls, sep } = tokenizer.special
  const name = (id: number): string => tokenizer.tokenOf(id) ?? ''
  const framed = <T>(first: T, inner: T[], last: T): T[] => (special ? [first, ...inner, last] : inner)
  return {
    tokens: framed(
      name(cls),
      found.map((t) => t.token),
      name(sep),
    ),
    ids: framed(
      cls,
      found.map((t) => t.id),
      sep,
    ),
    offsets: framed<readonly [number, number] | null>(
      null,
      found.map((t) => [t.start, t.end] as const),
      null,
    ),
  }
}

/** Tokenizes each line of a file, or of standard input where it is `-`. */
export async function* tokenizeFile(
  tokenizer: Tokenizer,
  path: string,
  { special = false }: TokenizeOptions = {},
): AsyncGenerator<TokenizedLine> {
  for await (const { text } of readLines(path)) yield tokenizeLine(tokenizer, text, special)
}
