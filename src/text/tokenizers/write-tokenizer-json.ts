import type { AddedToken } from './added-tokens.js'
import { base64Of } from './charsmap.js'
import { JapaneseCharacters } from './japanese.js'
import { SentencePieceTokenizer } from './sentencepiece.js'
import { SlowTokenizer, type InnerTokenizer } from './slow-tokenizer.js'
import type { Tokenizer } from './tokenizer.js'
import { MARK } from './unigram.js'
import { WordPieceTokenizer } from './wordpiece.js'

/** `tokenizer.json` and `tokenizer_config.json` of Hugging Face's tokenizers, written. */

const addedToken = ({ id, content, singleWord, lstrip, rstrip, normalized, special }: AddedToken) => ({
  id,
  content,
  single_word: singleWord,
  lstrip,
  rstrip,
  normalized,
  special,
})

const template = (tokenizer: InnerTokenizer) => {
  const { cls, sep } = tokenizer.names
  const ids = tokenizer.special
  const special = (id: string, type_id: number) => ({ SpecialToken: { id, type_id } })
  const sequence = (id: 'A' | 'B', type_id: number) => ({ Sequence: { id, type_id } })
  return {
    type: 'TemplateProcessing',
    single: [special(cls, 0), sequence('A', 0), special(sep, 0)],
    pair: [special(cls, 0), sequence('A', 0), special(sep, 0), sequence('B', 1), special(sep, 1)],
    special_tokens: {
      [cls]: { id: cls, ids: [ids.cls], tokens: [cls] },
      [sep]: { id: sep, ids: [ids.sep], tokens: [sep] },
    },
  }
}

/** Rules that the file represents, read by albertkit alone; for other programs it is as close as the format allows. */
const rulesOf = (tokenizer: Tokenizer): string => (tokenizer instanceof SlowTokenizer ? 'transformers' : 'google')

function bertNormalizerOf({ lowerCase, stripAccents, rules }: WordPieceTokenizer) {
  return {
    type: 'BertNormalizer',
    clean_text: true,
    handle_chinese_chars: rules.isAlone('\u4e00'),
    strip_accents: stripAccents === lowerCase ? null : stripAccents,
    lowercase: lowerCase,
  }
}

function wordPieceModel(tokenizer: WordPieceTokenizer) {
  const { vocabulary, rules, names, prefix } = tokenizer
  return {
    type: 'WordPiece',
    unk_token: names.unk,
    continuing_subword_prefix: prefix,
    max_input_chars_per_word: rules.maxChars,
    vocab: Object.fromEntries(vocabulary),
  }
}

function wordPieceParts(tokenizer: WordPieceTokenizer, rules: string) {
  return {
    normalizer: bertNormalizerOf(tokenizer),
    pre_tokenizer: { type: 'BertPreTokenizer' },
    decoder: { type: 'WordPiece', prefix: tokenizer.prefix, cleanup: true },
    model: { ...wordPieceModel(tokenizer), rules },
  }
}

/** Characters one by one: composed, and without white space. */
function characterParts({ base, lowerCase, words }: JapaneseCharacters) {
  const characters = { type: 'Split', pattern: { Regex: '[\\s\\S]' }, behavior: 'Isolated', invert: false }
  const lower = lowerCase ? [{ type: 'Lowercase' }] : []
  const before = words === 'basic' ? [bertNormalizerOf(base)] : []
  return {
    normalizer: { type: 'Sequence', normalizers: [...before, { type: 'NFKC' }, ...lower] },
    pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, characters] },
    decoder: { type: 'WordPiece', prefix: base.prefix, cleanup: true },
    model: wordPieceModel(base),
  }
}

function unigramParts(tokenizer: SentencePieceTokenizer, rules: string) {
  const { model, lowerCase, plain, albert, special } = tokenizer
  const metaspace = { type: 'Metaspace', replacement: MARK, prepend_scheme: 'always', split: true }
  const quote = (search: string) => ({ type: 'Replace', pattern: { String: search }, content: '"' })
  const keepsAccents = albert?.keepAccents ?? plain
  return {
    normalizer: {
      type: 'Sequence',
      normalizers: [
        ...(albert === undefined ? [] : [quote('``'), quote("''")]),
        ...(keepsAccents ? [] : [{ type: 'NFKD' }, { type: 'StripAccents' }]),
        ...(!plain && lowerCase ? [{ type: 'Lowercase' }] : []),
        ...(model.charsmap.length === 0
          ? []
          : [{ type: 'Precompiled', precompiled_charsmap: base64Of(model.charsmap) }]),
        { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' },
      ],
    },
    pre_tokenizer:
      albert === undefined ? { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, metaspace] } : metaspace,
    decoder: metaspace,
    model: {
      type: 'Unigram',
      unk_id: special.unk,
      vocab: model.pieces.map(({ piece, score }) => [piece, score]),
      byte_fallback: false,
      rules,
    },
  }
}

function partsOf(tokenizer: InnerTokenizer, rules: string) {
  if (tokenizer instanceof WordPieceTokenizer) return wordPieceParts(tokenizer, rules)
  if (tokenizer instanceof SentencePieceTokenizer) return unigramParts(tokenizer, rules)
  if (tokenizer instanceof JapaneseCharacters) return characterParts(tokenizer)
  throw new RangeError(tokenizer.kind)
}

/** Special tokens of a tokenizer without added tokens. */
function specialTokens(tokenizer: Tokenizer): AddedToken[] {
  const { cls, sep, pad, unk, mask } = tokenizer.special
  const ids = [pad, unk, cls, sep, ...(mask === null ? [] : [mask])].sort((a, b) => a - b)
  return [...new Set(ids)].map((id) => ({
    id,
    content: tokenizer.tokenOf(id) ?? '',
    singleWord: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }))
}

/** `tokenizer.json` for transformers and transformers.js. */
export function buildTokenizerJson(tokenizer: Tokenizer): string {
  const inner = (tokenizer instanceof SlowTokenizer ? tokenizer.inner : tokenizer) as InnerTokenizer
  const added =
    tokenizer instanceof SlowTokenizer ? [...tokenizer.added].sort((a, b) => a.id - b.id) : specialTokens(tokenizer)
  const body = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added.map(addedToken),
    ...partsOf(inner, rulesOf(tokenizer)),
    post_processor: template(inner),
  }
  return `${JSON.stringify(body)}\n`
}

/** Settings of transformers' tokenizers for the normalisation of a text before it is split. */
function settingsOf(tokenizer: Tokenizer): object {
  const inner = tokenizer instanceof SlowTokenizer ? tokenizer.inner : tokenizer
  if (inner instanceof WordPieceTokenizer) {
    const { lowerCase, stripAccents, rules } = inner
    return {
      tokenize_chinese_chars: rules.isAlone('\u4e00'),
      strip_accents: stripAccents === lowerCase ? null : stripAccents,
    }
  }
  if (!(inner instanceof SentencePieceTokenizer)) return {}
  const { removeSpace = true, keepAccents = inner.plain } = inner.albert ?? {}
  return { remove_space: removeSpace, keep_accents: keepAccents }
}

/** Class of transformers that reads such a tokenizer. */
function classOf(tokenizer: Tokenizer): string {
  const inner = tokenizer instanceof SlowTokenizer ? tokenizer.inner : tokenizer
  if (inner instanceof WordPieceTokenizer) return 'BertTokenizer'
  return inner instanceof SentencePieceTokenizer ? 'AlbertTokenizer' : 'PreTrainedTokenizerFast'
}

/** `tokenizer_config.json` that belongs to it. @param maxLength positions of the model */
export function buildTokenizerConfig(tokenizer: Tokenizer, maxLength: number): string {
  const { cls, sep, pad, unk, mask } = tokenizer.special
  const name = (id: number): string => tokenizer.tokenOf(id) ?? ''
  const body = {
    tokenizer_class: classOf(tokenizer),
    do_lower_case: tokenizer.lowerCase,
    ...settingsOf(tokenizer),
    model_max_length: tokenizer.maxLength ?? maxLength,
    cls_token: name(cls),
    sep_token: name(sep),
    pad_token: name(pad),
    unk_token: name(unk),
    ...(mask === null ? {} : { mask_token: name(mask) }),
    // Google's programs take special tokens in a text for text.
    ...(tokenizer.readsSpecial === true ? {} : { split_special_tokens: true }),
    clean_up_tokenization_spaces: true,
  }
  return `${JSON.stringify(body, null, 2)}\n`
}
