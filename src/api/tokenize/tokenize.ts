import { stopIfAborted, type Abortable } from '../../base/abort.js'
import { disk } from '../../files/disk.js'
import { explained } from '../../formats/core/explain.js'
import { exists, isDirectory, type FilePort } from '../../formats/core/file-port.js'
import { dirname, join } from '../../formats/core/paths.js'
import { readLines } from '../input/lines.js'
import { findTokenizer, loadTokenizer, type LoadTokenizerOptions } from '../../text/tokenizers/load.js'
import { defaultFrame, type Tokenizer } from '../../text/tokenizers/tokenizer.js'
import { openModel } from '../open/open.js'
import { placeOf } from '../open/place.js'
import { openWithPlaces, type OpenSourceOptions } from '../open/source.js'
import { findLabels, readLabelLines, readLabels } from '../labels.js'
import type { TokenizedLine } from './report.js'

export interface TokenizeOptions extends LoadTokenizerOptions, Abortable {
  /** Add `[CLS]` before and `[SEP]` after the text. */
  readonly special?: boolean
}

/** True if the name is that of a vocabulary, not of a model. */
const isVocabularyFile = (path: string): boolean =>
  /\.(txt|model|spm|json)$/.test(path) && !path.endsWith('.index.json')

/**
 * Loads the tokenizer of a vocabulary, of a directory that contains one, or of a model.
 * @throws AlbertkitError `usage` if it is absent
 */
export async function tokenizerOf(
  path: string,
  options: LoadTokenizerOptions & Pick<OpenSourceOptions, 'files'> = {},
): Promise<Tokenizer> {
  try {
    return await findTokenizerOf(path, options)
  } catch (error) {
    throw explained(options.files ?? disk, error)
  }
}

async function findTokenizerOf(
  path: string,
  options: LoadTokenizerOptions & Pick<OpenSourceOptions, 'files'>,
): Promise<Tokenizer> {
  const { files, path: own, close } = await placeOf(path, options.files)
  try {
    return await findTokenizerAt(files, own, options)
  } finally {
    close?.()
  }
}

async function findTokenizerAt(files: FilePort, own: string, options: LoadTokenizerOptions): Promise<Tokenizer> {
  if (exists(files, own)) {
    if (!isDirectory(files, own)) {
      if (isVocabularyFile(own)) return loadTokenizer(files, own, options)
    } else if (findTokenizer(files, own) !== null) return loadTokenizer(files, own, options)
  }
  const { source, directories, files: within } = await openWithPlaces(own, { files })
  try {
    const directory = directories.find((d) => findTokenizer(within, d) !== null) ?? directories[0] ?? dirname(own)
    return loadTokenizer(within, directory, options)
  } finally {
    source.close()
  }
}

/** Reads class names next to a vocabulary or of a model; null if there are none. */
export async function labelsBeside(
  path: string,
  options: Pick<OpenSourceOptions, 'files'> = {},
): Promise<readonly string[] | null> {
  const { files, path: own, close } = await placeOf(path, options.files)
  try {
    return await labelsAt(files, own)
  } finally {
    close?.()
  }
}

async function labelsAt(files: FilePort, own: string): Promise<readonly string[] | null> {
  const directory = isDirectory(files, own) ? own : dirname(own)
  const file = findLabels(files, directory)
  if (file !== null) return readLabelLines(files, file)
  if (isVocabularyFile(own) || !exists(files, join(directory, 'config.json'))) return null
  const opened = await openModel(own, { files })
  try {
    return readLabels(opened)
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

/** Tokenizes each line of a file, or of standard input (`-`). */
export async function* tokenizeFile(
  tokenizer: Tokenizer,
  path: string,
  { special = false, signal }: TokenizeOptions = {},
): AsyncGenerator<TokenizedLine> {
  for await (const { text } of readLines(path)) {
    stopIfAborted(signal)
    yield tokenizeLine(tokenizer, text, special)
  }
}
