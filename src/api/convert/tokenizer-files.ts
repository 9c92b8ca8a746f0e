import { existsSync } from 'node:fs'
import { AlbertkitError, usage } from '../../base/errors.js'
import { writeBytes, writeText } from '../../files/output-file.js'
import { exists, isDirectory, type FilePort } from '../../formats/core/file-port.js'
import { readBytes } from '../../formats/core/file.js'
import { basename, dirname, join } from '../../formats/core/paths.js'
import { kerasTokenizer } from '../../text/tokenizers/keras-hub.js'
import { findTokenizer, loadTokenizer, tokenizerName } from '../../text/tokenizers/load.js'
import { buildTokenizerConfig, buildTokenizerJson } from '../../text/tokenizers/write-tokenizer-json.js'

/** Files of Hugging Face tokenizers, copied if the source has them. */
const GIVEN = ['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json']

/** Folder of a model, and the vocabulary to take instead of the one in it, a file or a folder. */
export interface TokenizerPlace {
  readonly files: FilePort
  readonly directory: string
  readonly vocabulary?: string | undefined
}

/**
 * Path of a model's tokenizer, and the folder of the files that belong to it; the path is null if there is none.
 * @throws AlbertkitError `usage` if the named vocabulary does not exist
 */
export function tokenizerOf({ files, directory, vocabulary }: TokenizerPlace): {
  readonly own: string | null
  readonly home: string
} {
  if (vocabulary === undefined) return { own: findTokenizer(files, directory), home: directory }
  if (!exists(files, vocabulary))
    throw usage('there is no such vocabulary', { code: 'vocabulary-missing', file: vocabulary })
  if (isDirectory(files, vocabulary)) return { own: findTokenizer(files, vocabulary), home: vocabulary }
  return { own: vocabulary, home: dirname(vocabulary) }
}

/**
 * Copies the tokenizer files of a model, and adds `tokenizer.json` and `tokenizer_config.json` for transformers and
 * transformers.js if they are absent.
 * @param positions longest input of the model, in tokens
 * @returns notes for the user
 */
export function writeTokenizer(place: TokenizerPlace, staging: string, positions: number): string[] {
  const { files } = place
  const { own, home } = tokenizerOf(place)
  if (own === null) return ['no tokenizer was found beside the model, and none is written: `vocabulary` names one']
  const copy = (name: string, file: string): void => {
    writeBytes(join(staging, name), readBytes(files, file))
  }
  copy(tokenizerName(own), own)
  // keras-hub's tokenizer.json has another format.
  const given = kerasTokenizer(files, own) === null ? GIVEN : []
  for (const name of given) if (exists(files, join(home, name))) copy(name, join(home, name))
  try {
    const tokenizer = loadTokenizer(files, own)
    const write = (name: string, build: () => string): void => {
      if (!existsSync(join(staging, name))) writeText(join(staging, name), build())
    }
    write('tokenizer.json', () => buildTokenizerJson(tokenizer))
    write('tokenizer_config.json', () => buildTokenizerConfig(tokenizer, positions))
  } catch (error) {
    // The weights can be converted without a usable vocabulary, but not if a file could not be written; nor is a
    // pointer of Git LFS, or a page in the place of a file, handed on.
    if (!(error instanceof AlbertkitError) || error.kind === 'output' || error.code === 'not-a-model') throw error
    return [`no tokenizer.json: ${error.message} (${basename(own)})`]
  }
  return []
}
