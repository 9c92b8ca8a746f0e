import { exists, type FilePort } from '../../formats/core/file-port.js'
import { basename, dirname, join } from '../../formats/core/paths.js'
import { readJsonObject } from './side-files.js'

/**
 * Vocabularies of keras-hub, as a preset and an unpacked `.keras` file keep them: below `assets/`, with what is done
 * to the text before in a configuration of Keras.
 */

const PLACES = ['assets/tokenizer', 'assets/preprocessor/tokenizer']
const NAMES = ['vocabulary.txt', 'vocabulary.spm']
const MAX_DEPTH = 12

/** The vocabulary that keras-hub left in `directory`, or null. */
export const findKerasVocabulary = (files: FilePort, directory: string): string | null =>
  PLACES.flatMap((place) => NAMES.map((name) => join(directory, place, name))).find((file) => exists(files, file)) ??
  null

/** Normalisation settings of a keras-hub tokenizer. All false for SentencePiece, whose model normalises by itself. */
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

/** Folder of the keras-hub preset that the vocabulary `file` belongs to; null if it belongs to none. */
function presetOf(file: string): string | null {
  const place = PLACES.find((p) => join(dirname(file)) === p || join(dirname(file)).endsWith(`/${p}`))
  if (place === undefined || !NAMES.includes(basename(file))) return null
  return join(dirname(file), ...place.split('/').map(() => '..'))
}

/** Paths of the tokenizer configurations for the vocabulary `file` of a keras-hub preset; empty for any other. */
export function kerasConfigs(file: string): string[] {
  const root = presetOf(file)
  return root === null ? [] : [join(root, 'tokenizer.json'), join(root, 'config.json')]
}

/**
 * Settings of the keras-hub tokenizer that the vocabulary `file` belongs to; null if it belongs to none.
 * @throws AlbertkitError `malformed` if its configuration cannot be read
 */
export function kerasTokenizer(files: FilePort, file: string): KerasTokenizer | null {
  if (presetOf(file) === null) return null
  const config = kerasConfigs(file).reduce<ReturnType<typeof findTokenizerConfig>>(
    (found, path) => found ?? findTokenizerConfig(readJsonObject(files, path)),
    null,
  )
  return { lowerCase: config?.lowercase === true, stripAccents: config?.strip_accents === true }
}
