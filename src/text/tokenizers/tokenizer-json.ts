import { parseJson } from '../../base/json-text.js'
import { malformed, unsupported, type AlbertkitError } from '../../base/errors.js'
import type { AddedToken } from './added-tokens.js'
import { bytesOfBase64 } from './charsmap.js'
import { checkAddedCount, checkFields, checkTokenCount, checkTokenLength, PieceBudget } from './limits.js'
import { fieldsOf, type Fields } from './normalizers.js'
import type { Piece, SpieceModel } from './spiece-model.js'
import { addedTokenOf } from './tokenizer-config.js'

/** `tokenizer.json` of Hugging Face's tokenizers, read. */

interface Common {
  readonly lowerCase: boolean
  readonly addedTokens: readonly AddedToken[]
  /** The whole file, without its vocabulary. */
  readonly fields: Fields
  /** Program whose rules a file written by albertkit represents: `google`, `transformers`; else undefined. */
  readonly rules: string | undefined
}

/** Contents of a `tokenizer.json`. */
export type TokenizerJson =
  | (Common & {
      readonly kind: 'wordpiece'
      /** Tokens of the model. */
      readonly own: ReadonlyMap<string, number>
      /** Tokens of the model, and added ones. */
      readonly vocabulary: ReadonlyMap<string, number>
      /** True if every word is one token. */
      readonly wordLevel: boolean
      readonly stripAccents: boolean | undefined
    })
  | (Common & {
      readonly kind: 'sentencepiece'
      readonly pieces: readonly (readonly [piece: string, score: number])[]
      readonly unknown: number | null
      readonly model: SpieceModel
      /** True if nothing is done to the text before the model's own normalisation. */
      readonly plain: boolean
    })

/** Vocabularies have half a million tokens at most. */
const MAX_ID = 1 << 24
const isId = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) < MAX_ID

const damaged = (file: string, field: string): AlbertkitError =>
  malformed('the tokenizer is damaged', { code: 'tokenizer-invalid', file, field, hint: 'fetch it again' })

const MAX_DEPTH = 16
/** The normalizer and those that it is made of. */
const flatten = (normalizer: Fields, depth = 0): Fields[] => {
  const parts = depth < MAX_DEPTH && Array.isArray(normalizer.normalizers) ? (normalizer.normalizers as unknown[]) : []
  return [normalizer, ...parts.flatMap((part) => flatten(fieldsOf(part), depth + 1))]
}

function readCommon(fields: Fields, normalizers: readonly Fields[], file: string): Common {
  const { added_tokens = [], model } = fields
  if (!Array.isArray(added_tokens)) throw damaged(file, 'added_tokens')
  checkAddedCount(added_tokens.length, file)
  const addedTokens = (added_tokens as unknown[]).map((token, i) => {
    const { id } = fieldsOf(token)
    if (!isId(id)) throw damaged(file, `added_tokens[${i}]`)
    return addedTokenOf(id, token, file, `added_tokens[${i}]`)
  })
  const lowerCase = normalizers.some((n) => n.lowercase === true || n.type === 'Lowercase')
  const { rules } = fieldsOf(model)
  return { lowerCase, addedTokens, fields, rules: typeof rules === 'string' ? rules : undefined }
}

/** What was read of a file but its vocabulary, which is held in another form and would take its memory twice. */
const withoutVocabulary = (common: Common): Common => ({
  ...common,
  fields: { ...common.fields, model: { ...fieldsOf(common.fields.model), vocab: undefined } },
})

function readVocabulary(common: Common, normalizers: readonly Fields[], file: string): TokenizerJson {
  const { type, vocab } = fieldsOf(common.fields.model)
  if (typeof vocab !== 'object' || vocab === null)
    throw malformed('the tokenizer has no vocabulary', { code: 'tokenizer-invalid', file, field: 'model.vocab' })
  const own = new Map<string, number>()
  // Not through Object.entries: an array for each token takes more than the tokens.
  for (const token in vocab) {
    checkTokenLength(token.length, file)
    const id = (vocab as Fields)[token]
    if (!isId(id)) throw damaged(file, `model.vocab.${token}`)
    own.set(token, id)
    checkTokenCount(own.size, file)
  }
  // The model's id of a token counts, if it has one.
  const added = common.addedTokens.filter(({ content }) => !own.has(content)).map((t) => [t.content, t.id] as const)
  const vocabulary = added.length === 0 ? own : new Map([...own, ...added])
  const accents = normalizers.find((n) => typeof n.strip_accents === 'boolean')?.strip_accents
  const stripAccents = accents as boolean | undefined
  const wordLevel = type === 'WordLevel'
  return { ...withoutVocabulary(common), kind: 'wordpiece', own, vocabulary, wordLevel, stripAccents }
}

function readUnigram(common: Common, normalizers: readonly Fields[], file: string): TokenizerJson {
  const { vocab, unk_id = null } = fieldsOf(common.fields.model)
  if (!Array.isArray(vocab))
    throw malformed('the tokenizer has no pieces', { code: 'tokenizer-invalid', file, field: 'model.vocab' })
  const budget = new PieceBudget(file)
  checkTokenCount(vocab.length, file)
  const pieces = (vocab as unknown[]).map((entry, i): readonly [string, number] => {
    const [piece, score] = Array.isArray(entry) ? (entry as unknown[]) : []
    if (typeof piece !== 'string' || typeof score !== 'number') throw damaged(file, `model.vocab[${i}]`)
    budget.add(piece.length)
    return [piece, score]
  })
  if (unk_id !== null && !(isId(unk_id) && unk_id < pieces.length)) throw damaged(file, 'model.unk_id')
  const special = new Set(common.addedTokens.filter((t) => t.special).map(({ id }) => id))
  const kindOf = (id: number): Piece['kind'] => (id === unk_id ? 'unknown' : special.has(id) ? 'control' : 'piece')
  const charsmap = normalizers.find((n) => typeof n.precompiled_charsmap === 'string')?.precompiled_charsmap ?? ''
  const model: SpieceModel = {
    pieces: pieces.map(([piece, score], id) => ({ piece, score: Math.fround(score), kind: kindOf(id) })),
    charsmap: bytesOfBase64(charsmap as string, file),
    addDummyPrefix: true,
    removeExtraWhitespaces: true,
    escapeWhitespaces: true,
  }
  budget.check(model.pieces)
  const plain = !common.lowerCase && !normalizers.some((n) => n.type === 'StripAccents')
  return { ...withoutVocabulary(common), kind: 'sentencepiece', pieces, unknown: unk_id, model, plain }
}

/** @throws AlbertkitError `malformed` or `unsupported` */
export function parseTokenizerJson(text: string, file: string): TokenizerJson {
  let value: unknown
  checkFields(text, file)
  try {
    value = parseJson(text)
  } catch (error) {
    throw malformed('the tokenizer is not JSON', { code: 'tokenizer-invalid', file, cause: error })
  }
  const fields = fieldsOf(value)
  const normalizers = flatten(fieldsOf(fields.normalizer))
  const common = readCommon(fields, normalizers, file)
  const { type } = fieldsOf(fields.model)
  if (type === 'WordPiece' || type === 'WordLevel') return readVocabulary(common, normalizers, file)
  if (type === 'Unigram') return readUnigram(common, normalizers, file)
  throw unsupported(`the tokenizer is of type ${typeof type === 'string' ? type : 'unknown'}`, {
    code: 'tokenizer-unsupported',
    file,
    field: 'model.type',
    hint: "ALBERT's are WordPiece (vocab.txt) or Unigram (spiece.model)",
  })
}
