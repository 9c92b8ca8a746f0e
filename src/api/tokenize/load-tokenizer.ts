import { loadTokenizer as loadThrough, type LoadTokenizerOptions } from '../../text/tokenizers/load.js'
import type { Tokenizer } from '../../text/tokenizers/tokenizer.js'
import { localPlaceOf } from '../open/place.js'
import type { OpenSourceOptions } from '../open/source.js'

/**
 * Reads the tokenizer of a model: `vocab.txt`, `spiece.model` or `tokenizer.json`, by its path or that of the directory
 * that holds it.
 * @throws AlbertkitError `usage` if there is none, `malformed` or `unsupported` if it cannot be used
 */
export const loadTokenizer = (
  path: string,
  options: LoadTokenizerOptions & Pick<OpenSourceOptions, 'files'> = {},
): Tokenizer => {
  const place = localPlaceOf(path, options.files)
  return loadThrough(place.files, place.path, options)
}
