import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/**
 * Vocabularies of keras-hub, where a preset and an unpacked `.keras` file keep them: below `assets/`, with what is done to
 * the text before in a configuration of Keras.
 */

const PLACES = ['assets/tokenizer', 'assets/preprocessor/tokenizer']
const NAMES = ['vocabulary.txt', 'vocabulary.spm']
/** A configuration is a page. */
const MAX_BYTES = 16 * 1024 * 1024
const MAX_DEPTH = 12

/** The vocabulary that keras-hub left in `directory`, or null. */
export const findKerasVocabulary = (directory: string): string | null =>
  PLACES.flatMap((place) => NAMES.map((name) => join(directory, place, name))).find((file) => existsSync(file)) ?? null

/** What keras-hub's tokenizer does to a text first. SentencePiece models do it themselves: nothing. */
export interface KerasTokenizer {
  readonly lowerCase: boolean
  readonly stripAccents: boolean
}

/** The configuration of a tokenizer in what Keras wrote, however deep. */
function findTokenizerConfig(value: unknown, depth = 0): Readonly<Record<string, unknown>> | null {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return null
  const { class_name: name, config } = value as Readonly<Record<string, unknown>>
  if (typeof name === 'string' && name.endsWith('Tokenizer') && typeof config === 'object' && config !== null)
    return config as Readonly<Record<string, unknown>>
  for (const part of Object.values(value)) {
    const found = findTokenizerConfig(part, depth + 1)
    if (found !== null) return found
  }
  return null
}

function readTokenizerConfig(file: string): Readonly<Record<string, unknown>> | null {
  if (!existsSync(file) || statSync(file).size > MAX_BYTES) return null
  try {
    return findTokenizerConfig(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return null
  }
}

/** How the vocabulary `file` is used, where it is one of keras-hub; null of any other. */
export function kerasTokenizer(file: string): KerasTokenizer | null {
  const place = PLACES.find((p) => join(dirname(file)).endsWith(join(p)))
  if (place === undefined || !NAMES.includes(basename(file))) return null
  const root = join(dirname(file), ...place.split('/').map(() => '..'))
  const config = readTokenizerConfig(join(root, 'tokenizer.json')) ?? readTokenizerConfig(join(root, 'config.json'))
  return { lowerCase: config?.lowercase === true, stripAccents: config?.strip_accents === true }
}
