import { existsSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { AlbertkitError, usage } from '../../base/errors.js'
import { copyTo, writeText } from '../../files/output-file.js'
import { kerasTokenizer } from '../../text/tokenizers/keras-hub.js'
import { findTokenizer, loadTokenizer, tokenizerName } from '../../text/tokenizers/load.js'
import { buildTokenizerConfig, buildTokenizerJson } from '../../text/tokenizers/write-tokenizer-json.js'

/** Files of Hugging Face's tokenizers, which are kept where the source has them. */
const GIVEN = ['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json']

const isFile = (path: string): boolean => statSync(path).isFile()

/**
 * Brings the tokenizer of the folder `source` along: its own files as they are, and `tokenizer.json` and
 * `tokenizer_config.json` for transformers and transformers.js where it has none. Gives what a person should know.
 * @param positions longest input of the model
 * @param vocabulary file or folder instead of the one in `source`
 */
export function writeTokenizer(source: string, staging: string, positions: number, vocabulary?: string): string[] {
  if (vocabulary !== undefined && !existsSync(vocabulary))
    throw usage('there is no such vocabulary', { code: 'vocabulary-missing', file: vocabulary })
  const directory = vocabulary === undefined ? source : isFile(vocabulary) ? dirname(vocabulary) : vocabulary
  const own = vocabulary !== undefined && isFile(vocabulary) ? vocabulary : findTokenizer(directory)
  if (own === null) return ['no tokenizer was found beside the model, and none is written: `vocabulary` names one']
  copyTo(join(staging, tokenizerName(own)), own)
  // What keras-hub calls tokenizer.json is another thing.
  const given = kerasTokenizer(own) === null ? GIVEN : []
  for (const name of given) if (existsSync(join(directory, name))) copyTo(join(staging, name), join(directory, name))
  try {
    const tokenizer = loadTokenizer(own)
    const write = (name: string, build: () => string): void => {
      if (!existsSync(join(staging, name))) writeText(join(staging, name), build())
    }
    write('tokenizer.json', () => buildTokenizerJson(tokenizer))
    write('tokenizer_config.json', () => buildTokenizerConfig(tokenizer, positions))
  } catch (error) {
    // Weights and vocabulary are two things: a vocabulary that is of no use stops no conversion.
    if (!(error instanceof AlbertkitError)) throw error
    return [`no tokenizer.json: ${error.message} (${basename(own)})`]
  }
  return []
}
