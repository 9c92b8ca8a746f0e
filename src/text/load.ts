import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { usage } from '../errors.js'
import { SentencePieceTokenizer } from './sentencepiece.js'
import { parseSpieceModel } from './spiece-model.js'
import { parseTokenizerJson } from './tokenizer-json.js'
import type { Tokenizer } from './tokenizer.js'
import { parseVocabulary, WordPieceTokenizer, type VocabularyStyle } from './wordpiece.js'

export interface LoadTokenizerOptions {
  /** Whether text is lower-cased; default what `tokenizer_config.json` or `tokenizer.json` says, else true. */
  readonly lowerCase?: boolean
  /** How repeated tokens of a `vocab.txt` are taken; default as BERT and albert_zh do. */
  readonly style?: VocabularyStyle
}

/** Files of a tokenizer, those that the genuine code reads first. */
const NAMES = ['vocab.txt', 'spiece.model', 'tokenizer.json'] as const
const isTokenizer = (name: string): boolean =>
  (NAMES as readonly string[]).includes(name) || /^(vocab.*\.txt|.*(spiece|sentencepiece|spm).*\.model)$/.test(name)

/** A vocabulary is a few MiB; anything larger is another file. */
const MAX_BYTES = 256 * 1024 * 1024

/** The file of the tokenizer in `directory`, or null where there is none. */
export function findTokenizer(directory: string): string | null {
  const exact = NAMES.map((name) => join(directory, name)).find((file) => existsSync(file))
  if (exact !== undefined) return exact
  const names = readdirSync(directory).filter(isTokenizer).sort()
  return names.length === 1 ? join(directory, names[0]!) : null
}

/** `do_lower_case` of the `tokenizer_config.json` beside a file, or undefined. */
function configuredCase(directory: string): boolean | undefined {
  const file = join(directory, 'tokenizer_config.json')
  if (!existsSync(file)) return undefined
  try {
    const { do_lower_case } = JSON.parse(readFileSync(file, 'utf8')) as { do_lower_case?: unknown }
    return typeof do_lower_case === 'boolean' ? do_lower_case : undefined
  } catch {
    return undefined
  }
}

function readBytes(file: string): Uint8Array {
  try {
    const { size } = statSync(file)
    if (size > MAX_BYTES) throw usage('the file is too large for a vocabulary', { file })
    return readFileSync(file)
  } catch (error) {
    if (error instanceof Error && 'kind' in error) throw error
    throw usage('the tokenizer cannot be read', { file, cause: error })
  }
}

function fromFile(file: string, directory: string, options: LoadTokenizerOptions): Tokenizer {
  const bytes = readBytes(file)
  const lowerCase = options.lowerCase ?? configuredCase(directory)
  if (file.endsWith('.model')) {
    const model = parseSpieceModel(bytes, file)
    return new SentencePieceTokenizer(model, { file, lowerCase: lowerCase ?? true })
  }
  const text = Buffer.from(bytes).toString('utf8')
  if (!file.endsWith('.json'))
    return new WordPieceTokenizer(parseVocabulary(text, options.style), { file, lowerCase: lowerCase ?? true })
  const parsed = parseTokenizerJson(text, file)
  const given = { file, lowerCase: lowerCase ?? parsed.lowerCase }
  return parsed.kind === 'wordpiece'
    ? new WordPieceTokenizer(parsed.vocabulary, given)
    : new SentencePieceTokenizer(parsed.model, given)
}

/**
 * Reads the tokenizer of a model: `vocab.txt`, `spiece.model` or `tokenizer.json`, by its path or that of the directory
 * that holds it.
 * @throws AlbertkitError `usage` where there is none, `malformed` or `unsupported` where it cannot be used
 */
export function loadTokenizer(path: string, options: LoadTokenizerOptions = {}): Tokenizer {
  if (!existsSync(path)) throw usage('there is no such vocabulary', { file: path })
  if (!statSync(path).isDirectory()) return fromFile(path, join(path, '..'), options)
  const file = findTokenizer(path)
  if (file === null)
    throw usage('there is no vocabulary beside the model', {
      file: path,
      hint: `looked for ${NAMES.join(', ')}; give one with --vocab FILE`,
    })
  return fromFile(file, path, options)
}

/** Name under which a tokenizer's file lies beside an artefact: what the genuine code reads is copied as it is. */
export const tokenizerName = (file: string): string =>
  file.endsWith('.model') ? 'spiece.model' : file.endsWith('.json') ? basename(file) : 'vocab.txt'
