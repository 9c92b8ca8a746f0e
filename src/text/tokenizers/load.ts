import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { usage } from '../../base/errors.js'
import { findKerasVocabulary, kerasTokenizer } from './keras-hub.js'
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
  // keras-hub has a tokenizer.json too, which is a configuration and no vocabulary.
  const keras = findKerasVocabulary(directory)
  const names = keras === null ? NAMES : NAMES.filter((name) => name !== 'tokenizer.json')
  const exact = names.map((name) => join(directory, name)).find((file) => existsSync(file)) ?? keras
  if (exact !== null) return exact
  const others = readdirSync(directory)
    .filter((name) => !name.startsWith('.') && isTokenizer(name))
    .sort()
  return others.length === 1 ? join(directory, others[0]!) : null
}

/** What is said of the text before it is cut. */
interface NormalizerConfig {
  readonly lowerCase?: boolean | undefined
  readonly stripAccents?: boolean | undefined
  readonly keepAccents?: boolean | undefined
}

/** What the `tokenizer_config.json` beside a file says: `do_lower_case`, `strip_accents` of BERT, `keep_accents` of ALBERT. */
function configured(directory: string): NormalizerConfig {
  const file = join(directory, 'tokenizer_config.json')
  if (!existsSync(file)) return {}
  const flag = (value: unknown): boolean | undefined => (typeof value === 'boolean' ? value : undefined)
  try {
    const fields = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, unknown>>
    return {
      lowerCase: flag(fields.do_lower_case),
      stripAccents: flag(fields.strip_accents),
      keepAccents: flag(fields.keep_accents),
    }
  } catch {
    return {}
  }
}

function readBytes(file: string): Uint8Array {
  try {
    const stat = statSync(file)
    const { size } = stat
    if (!stat.isFile()) throw usage('not a file', { file })
    if (size > MAX_BYTES) throw usage('the file is too large for a vocabulary', { file })
    return readFileSync(file)
  } catch (error) {
    if (error instanceof Error && 'kind' in error) throw error
    throw usage('the tokenizer cannot be read', { file, cause: error })
  }
}

function fromFile(file: string, directory: string, options: LoadTokenizerOptions): Tokenizer {
  const bytes = readBytes(file)
  const keras = kerasTokenizer(file)
  const said: NormalizerConfig = keras ?? configured(directory)
  const lowerCase = options.lowerCase ?? said.lowerCase
  if (isSentencePiece(file)) {
    const model = parseSpieceModel(bytes, file)
    const plain = keras !== null || (said.keepAccents === true && said.lowerCase === false)
    return new SentencePieceTokenizer(model, { file, lowerCase: lowerCase ?? true, plain })
  }
  const text = Buffer.from(bytes).toString('utf8')
  if (!file.endsWith('.json'))
    return new WordPieceTokenizer(parseVocabulary(text, options.style), {
      file,
      lowerCase: lowerCase ?? true,
      stripAccents: said.stripAccents,
    })
  const parsed = parseTokenizerJson(text, file)
  const given = { file, lowerCase: lowerCase ?? parsed.lowerCase }
  return parsed.kind === 'wordpiece'
    ? new WordPieceTokenizer(parsed.vocabulary, { ...given, stripAccents: said.stripAccents ?? parsed.stripAccents })
    : new SentencePieceTokenizer(parsed.model, { ...given, plain: parsed.plain })
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
      hint: `looked for ${NAMES.join(', ')}; put it there, or name it with --vocab FILE where the command has that`,
    })
  return fromFile(file, path, options)
}

const isSentencePiece = (file: string): boolean => file.endsWith('.model') || file.endsWith('.spm')

/** Name under which a tokenizer's file lies beside an artefact: what the genuine code reads is copied as it is. */
export const tokenizerName = (file: string): string =>
  isSentencePiece(file) ? 'spiece.model' : file.endsWith('.json') ? basename(file) : 'vocab.txt'
