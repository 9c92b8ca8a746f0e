import { copyFileSync, existsSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { AlbertkitError } from '../errors.js'
import { kerasTokenizer } from '../text/keras-hub.js'
import { findTokenizer, loadTokenizer, tokenizerName } from '../text/load.js'
import { buildTokenizerConfig, buildTokenizerJson } from '../text/tokenizer-json.js'

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
  copyFileSync(own, join(staging, tokenizerName(own)))
  // What keras-hub calls tokenizer.json is another thing.
  const given = kerasTokenizer(own) === null ? GIVEN : []
  for (const name of given)
    if (existsSync(join(directory, name))) copyFileSync(join(directory, name), join(staging, name))
  try {
    const tokenizer = loadTokenizer(directory)
    const write = (name: string, text: string): void => {
      if (!existsSync(join(staging, name))) writeFileSync(join(staging, name), text)
    }
    write('tokenizer.json', buildTokenizerJson(tokenizer))
    write('tokenizer_config.json', buildTokenizerConfig(tokenizer, positions))
    return []
  } catch (error) {
    // Weights and vocabulary are two things: a vocabulary that is of no use stops no conversion.
    if (!(error instanceof AlbertkitError)) throw error
    return [`no tokenizer.json: ${error.message} (${basename(own)})`]
  }
}
