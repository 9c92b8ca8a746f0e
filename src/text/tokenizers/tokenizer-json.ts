import { malformed, unsupported, type AlbertkitError } from '../../base/errors.js'
import { MARK, SentencePieceTokenizer } from './sentencepiece.js'
import type { Piece, SpieceModel } from './spiece-model.js'
import type { Tokenizer } from './tokenizer.js'
import { WordPieceTokenizer } from './wordpiece.js'

/** `tokenizer.json` and `tokenizer_config.json` of Hugging Face's tokenizers, read and written. */

type Fields = Readonly<Record<string, unknown>>
/** What may be read of a value: nothing of one that is no object. */
const fieldsOf = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {})

interface AddedToken {
  readonly id: number
  readonly content: string
  readonly special: boolean
}
interface Parsed {
  readonly model: Fields
  /** The normalizer and those that it is made of. */
  readonly normalizers: readonly Fields[]
  readonly addedTokens: readonly AddedToken[]
}

/** What a `tokenizer.json` says, as the tokenizers here take it. */
export type TokenizerJson =
  | {
      readonly kind: 'wordpiece'
      readonly vocabulary: Map<string, number>
      readonly lowerCase: boolean
      readonly stripAccents: boolean | undefined
    }
  | {
      readonly kind: 'sentencepiece'
      readonly model: SpieceModel
      readonly lowerCase: boolean
      /** Whether nothing is done to the text before the model's own normalisation. */
      readonly plain: boolean
    }

/** Vocabularies have half a million tokens at most. */
const MAX_ID = 1 << 24
const isId = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) < MAX_ID

const damaged = (file: string, field: string): AlbertkitError =>
  malformed('the tokenizer is damaged', { file, field, hint: 'fetch it again' })

const MAX_DEPTH = 16
const flatten = (normalizer: Fields, depth = 0): Fields[] => {
  const parts = depth < MAX_DEPTH && Array.isArray(normalizer.normalizers) ? (normalizer.normalizers as unknown[]) : []
  return [normalizer, ...parts.flatMap((part) => flatten(fieldsOf(part), depth + 1))]
}

function parseFields(value: unknown, file: string): Parsed {
  const { model, normalizer, added_tokens = [] } = fieldsOf(value)
  if (!Array.isArray(added_tokens)) throw damaged(file, 'added_tokens')
  const addedTokens = (added_tokens as unknown[]).map((token, i): AddedToken => {
    const { id, content, special } = fieldsOf(token)
    if (!isId(id) || typeof content !== 'string') throw damaged(file, `added_tokens[${i}]`)
    return { id, content, special: special === true }
  })
  return { model: fieldsOf(model), normalizers: flatten(fieldsOf(normalizer)), addedTokens }
}

function readWordPiece({ model: { vocab }, normalizers, addedTokens }: Parsed, file: string): TokenizerJson {
  if (typeof vocab !== 'object' || vocab === null)
    throw malformed('the tokenizer has no vocabulary', { file, field: 'model.vocab' })
  const vocabulary = new Map<string, number>()
  for (const [token, id] of Object.entries(vocab)) {
    if (!isId(id)) throw damaged(file, `model.vocab.${token}`)
    vocabulary.set(token, id)
  }
  for (const { content, id } of addedTokens) vocabulary.set(content, id)
  const accents = normalizers.find((n) => typeof n.strip_accents === 'boolean')?.strip_accents
  const lowerCase = normalizers.some((n) => n.lowercase === true || n.type === 'Lowercase')
  return { kind: 'wordpiece', vocabulary, lowerCase, stripAccents: accents as boolean | undefined }
}

function readUnigram({ model, normalizers, addedTokens }: Parsed, file: string): TokenizerJson {
  const { vocab, unk_id = 1 } = model
  if (!Array.isArray(vocab)) throw malformed('the tokenizer has no pieces', { file, field: 'model.vocab' })
  const special = new Set(addedTokens.filter((t) => t.special).map((t) => t.id))
  const pieces = (vocab as unknown[]).map((entry, i): Piece => {
    const [piece, score] = Array.isArray(entry) ? (entry as unknown[]) : []
    if (typeof piece !== 'string' || typeof score !== 'number') throw damaged(file, `model.vocab[${i}]`)
    const kind = i === unk_id ? 'unknown' : special.has(i) ? 'control' : 'piece'
    return { piece, score: Math.fround(score), kind }
  })
  const charsmap = normalizers.find((n) => typeof n.precompiled_charsmap === 'string')?.precompiled_charsmap ?? ''
  const spiece: SpieceModel = {
    pieces,
    charsmap: Buffer.from(charsmap as string, 'base64'),
    addDummyPrefix: true,
    removeExtraWhitespaces: true,
    escapeWhitespaces: true,
  }
  const lowerCase = normalizers.some((n) => n.type === 'Lowercase')
  const plain = !lowerCase && !normalizers.some((n) => n.type === 'StripAccents')
  return { kind: 'sentencepiece', model: spiece, lowerCase, plain }
}

/** @throws AlbertkitError `malformed` or `unsupported` */
export function parseTokenizerJson(text: string, file: string): TokenizerJson {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw malformed('the tokenizer is no JSON', { file, cause: error })
  }
  const parsed = parseFields(value, file)
  const { type } = parsed.model
  if (type === 'WordPiece') return readWordPiece(parsed, file)
  if (type === 'Unigram') return readUnigram(parsed, file)
  throw unsupported(`the tokenizer is of type ${typeof type === 'string' ? type : 'unknown'}`, {
    file,
    field: 'model.type',
    hint: "ALBERT's are WordPiece (vocab.txt) or Unigram (spiece.model)",
  })
}

const addedToken = (id: number, content: string) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
})

const template = (cls: number, sep: number) => {
  const special = (id: string, type_id: number) => ({ SpecialToken: { id, type_id } })
  const sequence = (id: 'A' | 'B', type_id: number) => ({ Sequence: { id, type_id } })
  return {
    type: 'TemplateProcessing',
    single: [special('[CLS]', 0), sequence('A', 0), special('[SEP]', 0)],
    pair: [special('[CLS]', 0), sequence('A', 0), special('[SEP]', 0), sequence('B', 1), special('[SEP]', 1)],
    special_tokens: {
      '[CLS]': { id: '[CLS]', ids: [cls], tokens: ['[CLS]'] },
      '[SEP]': { id: '[SEP]', ids: [sep], tokens: ['[SEP]'] },
    },
  }
}

function wordPieceParts({ vocabulary, lowerCase, stripAccents }: WordPieceTokenizer) {
  return {
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: stripAccents === lowerCase ? null : stripAccents,
      lowercase: lowerCase,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 200,
      vocab: Object.fromEntries(vocabulary),
    },
  }
}

function unigramParts({ model, lowerCase, plain, special }: SentencePieceTokenizer) {
  const metaspace = { type: 'Metaspace', replacement: MARK, prepend_scheme: 'always', split: true }
  return {
    normalizer: {
      type: 'Sequence',
      normalizers: [
        ...(plain ? [] : [{ type: 'NFKD' }, { type: 'StripAccents' }]),
        ...(!plain && lowerCase ? [{ type: 'Lowercase' }] : []),
        { type: 'Precompiled', precompiled_charsmap: Buffer.from(model.charsmap).toString('base64') },
        { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' },
      ],
    },
    pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, metaspace] },
    decoder: metaspace,
    model: {
      type: 'Unigram',
      unk_id: special.unk,
      vocab: model.pieces.map(({ piece, score }) => [piece, score]),
      byte_fallback: false,
    },
  }
}

function partsOf(tokenizer: Tokenizer) {
  if (tokenizer instanceof WordPieceTokenizer) return wordPieceParts(tokenizer)
  if (tokenizer instanceof SentencePieceTokenizer) return unigramParts(tokenizer)
  throw new RangeError(tokenizer.kind)
}

/** `tokenizer.json` for transformers and transformers.js. */
export function buildTokenizerJson(tokenizer: Tokenizer): string {
  const { cls, sep, pad, unk, mask } = tokenizer.special
  const added = [pad, unk, cls, sep, ...(mask === null ? [] : [mask])].sort((a, b) => a - b)
  const body = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added.map((id) => addedToken(id, tokenizer.tokenOf(id) ?? '')),
    ...partsOf(tokenizer),
    post_processor: template(cls, sep),
  }
  return `${JSON.stringify(body)}\n`
}

/** What transformers' slow tokenizers are told of the text before it is cut. */
function settingsOf(tokenizer: Tokenizer): object {
  if (tokenizer instanceof WordPieceTokenizer) {
    const { lowerCase, stripAccents } = tokenizer
    return { tokenize_chinese_chars: true, strip_accents: stripAccents === lowerCase ? null : stripAccents }
  }
  return { remove_space: true, keep_accents: tokenizer instanceof SentencePieceTokenizer && tokenizer.plain }
}

/** `tokenizer_config.json` beside it. @param maxLength positions of the model */
export function buildTokenizerConfig(tokenizer: Tokenizer, maxLength: number): string {
  const { pad, unk, mask } = tokenizer.special
  const name = (id: number): string => tokenizer.tokenOf(id) ?? ''
  const body = {
    tokenizer_class: tokenizer.kind === 'wordpiece' ? 'BertTokenizer' : 'AlbertTokenizer',
    do_lower_case: tokenizer.lowerCase,
    ...settingsOf(tokenizer),
    model_max_length: maxLength,
    cls_token: '[CLS]',
    sep_token: '[SEP]',
    pad_token: name(pad),
    unk_token: name(unk),
    ...(mask === null ? {} : { mask_token: name(mask) }),
    clean_up_tokenization_spaces: true,
  }
  return `${JSON.stringify(body, null, 2)}\n`
}
