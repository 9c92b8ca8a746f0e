import { disk } from '../../files/disk.js'
import { loadTokenizer as loadThrough, type LoadTokenizerOptions } from '../../text/tokenizers/load.js'
import type { Tokenizer } from '../../text/tokenizers/tokenizer.js'
import { portPath, type OpenSourceOptions } from '../open/source.js'

/**
 * Reads the tokenizer of a model: `vocab.txt`, `spiece.model` or `tokenizer.json`, by its path or that of the directory
 * that holds it.
 * @throws AlbertkitError `usage` if there is none, `malformed` or `unsupported` if it cannot be used
 */
export const loadTokenizer = (
  path: string,
  options: LoadTokenizerOptions & Pick<OpenSourceOptions, 'files'> = {},
): Tokenizer => loadThrough(options.files ?? disk, portPath(path, options), options)
