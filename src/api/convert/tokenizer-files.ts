import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { AlbertkitError } from '../../base/errors.js'
import { copyTo, writeText } from '../../files/output-file.js'
import { kerasTokenizer } from '../../text/tokenizers/keras-hub.js'
import { findTokenizer, loadTokenizer, tokenizerName } from '../../text/tokenizers/load.js'
import { buildTokenizerConfig, buildTokenizerJson } from '../../text/tokenizers/write-tokenizer-json.js'

/** Files of Hugging Face's tokenizers, which are kept where the source has them. */
const GIVEN = ['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json']

/**
 * Brings the tokenizer of `directory` along: its own files as they are, and `tokenizer.json` and
 * `tokenizer_config.json` for transformers and transformers.js where it has none. Gives what a person should know.
 * @param positions longest input of the model
 */
export function writeTokenizer(directory: string, staging: string, positions: number): string[] {
  const own = findTokenizer(directory)
  if (own === null) return []
  copyTo(join(staging, tokenizerName(own)), own)
  // What keras-hub calls tokenizer.json is another thing.
  const given = kerasTokenizer(own) === null ? GIVEN : []
  for (const name of given) if (existsSync(join(directory, name))) copyTo(join(staging, name), join(directory, name))
  const made = new Map<string, string>()
  try {
    const tokenizer = loadTokenizer(directory)
    made.set('tokenizer.json', buildTokenizerJson(tokenizer))
    made.set('tokenizer_config.json', buildTokenizerConfig(tokenizer, positions))
  } catch (error) {
    // Weights and vocabulary are two things: a vocabulary that is of no use stops no conversion.
    if (!(error instanceof AlbertkitError)) throw error
    return [`no tokenizer.json: ${error.message} (${basename(own)})`]
  }
  for (const [name, text] of made) if (!existsSync(join(staging, name))) writeText(join(staging, name), text)
  return []
}
