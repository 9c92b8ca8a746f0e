import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { explained } from '../../formats/core/explain.js'
import { openLocated } from '../../formats/core/open.js'
import { readLines } from '../../text/data/lines.js'
import { findTokenizer, loadTokenizer, type LoadTokenizerOptions } from '../../text/tokenizers/load.js'
import { defaultFrame, type Tokenizer } from '../../text/tokenizers/tokenizer.js'
import { openModel } from '../open/open.js'
import { findLabels, readLabelLines, readLabels } from '../labels.js'
import type { TokenizedLine } from './report.js'

export interface TokenizeOptions extends LoadTokenizerOptions {
  /** Put `[CLS]` in front and `[SEP]` behind. */
  readonly special?: boolean
}

/** A vocabulary by its name, and not a model. */
const isVocabularyFile = (path: string): boolean =>
  /\.(txt|model|spm|json)$/.test(path) && !path.endsWith('.index.json')

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

/** A token of the text, or a special one, which comes from nowhere. */
interface FramedToken {
  readonly token: string
  readonly id: number
  readonly start: number | null
  readonly end: number | null
}

export function tokenizeLine(tokenizer: Tokenizer, text: string, special = false): TokenizedLine {
  const own: readonly FramedToken[] = tokenizer.encode(text)
  const { single } = tokenizer.frame ?? defaultFrame(tokenizer.special)
  const framed = single.flatMap((part): readonly FramedToken[] =>
    'text' in part ? own : [{ token: tokenizer.tokenOf(part.id) ?? '', id: part.id, start: null, end: null }],
  )
  const found = special ? framed : own
  return {
    tokens: found.map(({ token }) => token),
    ids: found.map(({ id }) => id),
    offsets: found.map(({ start, end }) => (start === null || end === null ? null : [start, end])),
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
