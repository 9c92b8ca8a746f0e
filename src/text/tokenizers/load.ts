import { usage } from '../../base/errors.js'
import { confined } from '../../formats/core/confined.js'
import { exists, isDirectory, type FilePort } from '../../formats/core/file-port.js'
import { basename, dirname, join } from '../../formats/core/paths.js'
import { fromTokenizerJson, slowSentencePiece, slowWordPiece } from './build.js'
import { CASE_NOTE, hasCapitals } from './case.js'
import { findKerasVocabulary, kerasConfigs, kerasTokenizer } from './keras-hub.js'
import { SentencePieceTokenizer } from './sentencepiece.js'
import { checkLines } from './limits.js'
import { namesIn, readBytes, sizeOf } from './side-files.js'
import { looksLikeSpieceModel, parseSpieceModel } from './spiece-model.js'
import { readSettings, type TokenizerSettings } from './tokenizer-config.js'
import { parseTokenizerJson } from './tokenizer-json.js'
import type { Tokenizer } from './tokenizer.js'
import { parseVocabulary, WordPieceTokenizer, type VocabularyStyle } from './wordpiece.js'

export interface LoadTokenizerOptions {
  /** True to lower-case text; default from `tokenizer_config.json` or `tokenizer.json`, else true. */
  readonly lowerCase?: boolean
  /** Rules for repeated tokens of a `vocab.txt`; default those of BERT and albert_zh. */
  readonly style?: VocabularyStyle
}

const NAMES = ['vocab.txt', 'spiece.model', 'tokenizer.json'] as const

/** Bytes of a file that may be a SentencePiece model: those of ALBERT have less than a MB, the largest five. */
const MAX_SPIECE = 24 * 1024 * 1024
/** Files that are something else by their name. */
const OTHER =
  /\.(txt|json|index|bin|safetensors|pb|onnx|h5|hdf5|keras|msgpack|ckpt|pt|pth|tsv|csv|md)$|\.data-\d+-of-\d+$/i

/** Names of the files in a directory whose contents are a SentencePiece model. */
function spieceModels(files: FilePort, directory: string): string[] {
  return namesIn(files, directory).filter((name) => {
    if (name.startsWith('.') || OTHER.test(name)) return false
    return isSpieceFile(files, join(directory, name))
  })
}

function isSpieceFile(files: FilePort, file: string): boolean {
  const size = sizeOf(files, file)
  if (size === null || size === 0 || size > MAX_SPIECE) return false
  const bytes = readBytes(files, file)
  if (!looksLikeSpieceModel(bytes)) return false
  try {
    parseSpieceModel(bytes, file)
    return true
  } catch {
    return false
  }
}

/** Files by which a folder is one of transformers, and of TensorFlow. */
const TRANSFORMERS_FILE = /^(config\.json|model.*\.safetensors|pytorch_model.*\.bin|tf_model\.h5)$/
const TENSORFLOW_FILE = /^(bert_config.*\.json|albert_config.*\.json|checkpoint|saved_model\.pb|.*\.index|.*\.meta)$/

/** True if a folder follows the rules of transformers; one of a TensorFlow checkpoint follows Google's. */
function isOfTransformers(files: FilePort, directory: string, settings: TokenizerSettings | null): boolean {
  if (settings !== null) return true
  const names = namesIn(files, directory)
  return names.some((name) => TRANSFORMERS_FILE.test(name)) && !names.some((name) => TENSORFLOW_FILE.test(name))
}

/** Settings of a folder; null if they cannot be read, which is reported when the tokenizer is loaded. */
function settingsOrNull(files: FilePort, directory: string): TokenizerSettings | null {
  try {
    return readSettings(files, directory)
  } catch {
    return null
  }
}

/** Path of the tokenizer in `directory`, or null if there is none. */
export function findTokenizer(files: FilePort, directory: string): string | null {
  // keras-hub has a tokenizer.json too, which is a configuration and no vocabulary.
  const keras = findKerasVocabulary(files, directory)
  const has = (name: string): boolean => exists(files, join(directory, name))
  const names = keras === null ? NAMES : NAMES.filter((name) => name !== 'tokenizer.json')
  const settings = has('tokenizer.json') && keras === null ? settingsOrNull(files, directory) : null
  // BertJapaneseTokenizer has no fast class, which would read the file.
  const isFast = isOfTransformers(files, directory, settings) && settings?.className !== 'BertJapaneseTokenizer'
  const order = isFast ? [...names].reverse() : names
  const exact = order.find(has)
  if (exact !== undefined) return join(directory, exact)
  if (keras !== null) return keras
  const others = [
    ...spieceModels(files, directory),
    ...namesIn(files, directory).filter((name) => /^vocab.*\.txt$/.test(name)),
  ]
  return others.length === 1 ? join(directory, others[0]!) : null
}

function fromKeras(files: FilePort, file: string, bytes: Uint8Array, options: LoadTokenizerOptions): Tokenizer | null {
  const keras = kerasTokenizer(files, file)
  if (keras === null) return null
  const lowerCase = options.lowerCase ?? keras.lowerCase
  if (file.endsWith('.spm'))
    return new SentencePieceTokenizer(parseSpieceModel(bytes, file), { file, lowerCase, plain: true })
  checkLines(bytes, file)
  const vocabulary = parseVocabulary(new TextDecoder().decode(bytes), options.style)
  return new WordPieceTokenizer(vocabulary, { file, lowerCase, stripAccents: keras.stripAccents })
}

function fromFile(files: FilePort, file: string, options: LoadTokenizerOptions): Tokenizer {
  const directory = dirname(file)
  const bytes = readBytes(files, file)
  const keras = fromKeras(files, file, bytes, options)
  if (keras !== null) return keras
  const settings = readSettings(files, directory)
  const ofTransformers = isOfTransformers(files, directory, settings)
  const { lowerCase } = options
  if (isSentencePiece(file, bytes)) {
    const model = parseSpieceModel(bytes, file)
    if (ofTransformers) return slowSentencePiece(model, settings, { file, lowerCase })
    return new SentencePieceTokenizer(model, { file, lowerCase: lowerCase ?? true })
  }
  const isJson = file.endsWith('.json')
  if (!isJson) checkLines(bytes, file)
  const text = new TextDecoder().decode(bytes)
  if (isJson) return fromTokenizerJson(parseTokenizerJson(text, file), settings, { file, lowerCase })
  const vocabulary = parseVocabulary(text, options.style ?? (ofTransformers ? 'transformers' : 'bert'))
  const isGuessed = lowerCase === undefined && settings?.lowerCase === undefined
  const notes = isGuessed && hasCapitals(vocabulary.keys()) ? [CASE_NOTE] : []
  if (!ofTransformers) return new WordPieceTokenizer(vocabulary, { file, lowerCase: lowerCase ?? true, notes })
  return slowWordPiece(vocabulary, settings, { file, lowerCase, notes })
}

/**
 * Reads the tokenizer of a model by its path or that of the directory that holds it: `vocab.txt`, `tokenizer.json` or a
 * SentencePiece model. A folder of transformers follows the rules of transformers, any other those of Google's code.
 * @throws AlbertkitError `usage` if there is none, `malformed` or `unsupported` if it cannot be used
 */
export function loadTokenizer(files: FilePort, path: string, options: LoadTokenizerOptions = {}): Tokenizer {
  if (!exists(files, path)) throw usage('there is no such vocabulary', { code: 'vocabulary-missing', file: path })
  if (!isDirectory(files, path)) return fromFile(confined(files, [dirname(path)], [path]), path, options)
  const file = findTokenizer(files, path)
  if (file === null)
    throw usage('there is no vocabulary beside the model', {
      code: 'vocabulary-missing',
      file: path,
      hint: `looked for ${NAMES.join(', ')} and a SentencePiece model; put it there, or name it with \`vocabulary\``,
    })
  return fromFile(confined(files, [path]), file, options)
}

/** Files next to a vocabulary with its settings. */
const SETTINGS = ['tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json']

/**
 * A vocabulary and the files next to it that `loadTokenizer` looks at, for copying: files with settings have their
 * bytes, all others are empty, since only their names count.
 */
export function tokenizerFiles(files: FilePort, file: string): (readonly [path: string, bytes: Uint8Array])[] {
  const read = [file, ...SETTINGS.map((name) => join(dirname(file), name)), ...kerasConfigs(file)].map((path) =>
    join(path),
  )
  const names = namesIn(files, dirname(file)).map((name) => join(dirname(file), name))
  return [...new Set([...read, ...names])]
    .filter((path) => files.stat(path)?.kind === 'file')
    .map((path) => [path, read.includes(path) ? readBytes(files, path) : new Uint8Array(0)] as const)
}

const isSentencePiece = (file: string, bytes?: Uint8Array): boolean =>
  /\.(model|spm)$/.test(file) || (bytes !== undefined && !/\.(txt|json)$/.test(file) && looksLikeSpieceModel(bytes))

/** Name of a tokenizer's file next to an artefact: files that the original code reads are copied unchanged. */
export const tokenizerName = (file: string): string =>
  file.endsWith('.json') ? basename(file) : file.endsWith('.txt') ? 'vocab.txt' : 'spiece.model'
