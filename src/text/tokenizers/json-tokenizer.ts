import { splitFast, TokenMatcher, type AddedToken, type Part } from './added-tokens.js'
import { alignedOf, span, textOf, type Aligned } from './aligned.js'
import { fastRules } from './basic-rules.js'
import {
  bertNormalizer,
  buildNormalizer,
  fieldsOf,
  flag,
  isLocal,
  type Fields,
  type Normalizer,
} from './normalizers.js'
import { buildFrame } from './post-processors.js'
import { buildPreTokenizer, splitsAtSpaces, type PreTokenizer } from './pre-tokenizers.js'
import { RustUnigram } from './rust-unigram.js'
import type { TokenizerSettings } from './tokenizer-config.js'
import type { TokenizerJson } from './tokenizer-json.js'
import type { Frame, SpecialIds, Token, Tokenizer } from './tokenizer.js'
import { PlainWords, shifted, type KnownWord } from './plain-words.js'
import { WordPieceTokenizer, type SpecialNames } from './wordpiece.js'

export interface JsonTokenizerOptions {
  readonly file: string
  /** Settings from other files in the folder, which override this file in transformers. */
  readonly settings: TokenizerSettings | null
  /** True to lower-case text, false to keep its case; undefined to follow the file. */
  readonly lowerCase?: boolean | undefined
}

/** The model of the file, asked for the tokens of a word. */
interface Model {
  encodeWord(word: Aligned): Token[]
  idOf(token: string): number | undefined
  /** Tokens with their ids. */
  readonly tokens: Iterable<readonly [token: string, id: number]>
  readonly count: number
  readonly unk: number
}

/** A normalizer with lower-casing on or off. */
function withLowerCase(normalizer: unknown, lowerCase: boolean): unknown {
  const fields = fieldsOf(normalizer)
  const change = (value: unknown): unknown => {
    const own = fieldsOf(value)
    if (own.type === 'BertNormalizer') return { ...own, lowercase: lowerCase }
    if (own.type !== 'Sequence' || !Array.isArray(own.normalizers)) return value
    const parts = (own.normalizers as unknown[]).filter((part) => lowerCase || fieldsOf(part).type !== 'Lowercase')
    return { ...own, normalizers: parts.map(change) }
  }
  if (fields.type === 'Lowercase') return lowerCase ? normalizer : null
  const changed = change(normalizer)
  const has = JSON.stringify(changed ?? null)
  if (!lowerCase || has.includes('"Lowercase"') || has.includes('"BertNormalizer"')) return changed
  return { type: 'Sequence', normalizers: [changed, { type: 'Lowercase' }].filter((part) => part !== null) }
}

const BERT_CLASSES =
  /^(Bert|Electra|DistilBert|MobileBert|ConvBert|Lxmert|LayoutLM|SqueezeBert|Funnel|RetriBert)Tokenizer$/

/** The normalizer as BertTokenizerFast leaves it: if settings and file differ, the settings count. */
function bertOverrides(normalizer: unknown, settings: TokenizerSettings | null): unknown {
  const fields = fieldsOf(normalizer)
  if (settings === null || fields.type !== 'BertNormalizer') return normalizer
  if (settings.className === null || !BERT_CLASSES.test(settings.className)) return normalizer
  return {
    ...fields,
    lowercase: settings.lowerCase ?? true,
    strip_accents: settings.stripAccents ?? null,
    handle_chinese_chars: settings.chinese ?? true,
  }
}

/**
 * Added tokens of the file and of the settings, which count if both have one. As in the library, the model's id of a
 * token counts, and other tokens are numbered in their order, ignoring the numbers in the file.
 */
function allAdded(parsed: TokenizerJson, settings: TokenizerSettings | null, model: Model): AddedToken[] {
  const tokens = new Map<string, AddedToken>()
  let next = model.count
  const add = (token: AddedToken): void => {
    if (token.content === '') return
    const id = model.idOf(token.content) ?? tokens.get(token.content)?.id ?? next++
    tokens.set(token.content, { ...token, id })
  }
  parsed.addedTokens.forEach(add)
  for (const token of settings?.added ?? [])
    add({ ...token, special: token.special || settings!.special.includes(token.content) })
  const flags = { singleWord: false, lstrip: false, rstrip: false, normalized: false, special: true }
  for (const content of settings?.special ?? []) if (!tokens.has(content)) add({ id: -1, content, ...flags })
  return [...tokens.values()]
}

function wordModel(
  parsed: Extract<TokenizerJson, { kind: 'wordpiece' }>,
  { file }: JsonTokenizerOptions,
  lowerCase: boolean,
): { model: Model; pieces: WordPieceTokenizer } {
  const fields = fieldsOf(parsed.fields.model)
  const unk = typeof fields.unk_token === 'string' ? fields.unk_token : '[UNK]'
  const max = fields.max_input_chars_per_word
  const maxChars = typeof max === 'number' ? max : parsed.wordLevel ? Infinity : 100
  const normalizer = bertNormalizer(fieldsOf(parsed.fields.normalizer))
  const names: SpecialNames = { cls: unk, sep: unk, pad: unk, unk, mask: unk }
  const { own } = parsed
  const pieces = new WordPieceTokenizer(own, {
    file,
    lowerCase,
    stripAccents: normalizer.stripAccents,
    names,
    added: new Map(parsed.addedTokens.map(({ content, id: own }) => [content, own])),
    rules: fastRules({ ...normalizer, lowerCase }, { cleanText: normalizer.cleanText, maxChars }),
    prefix: typeof fields.continuing_subword_prefix === 'string' ? fields.continuing_subword_prefix : '##',
  })
  const id = pieces.special.unk
  const whole = (word: Aligned): Token[] => {
    const token = textOf(word)
    const known = own.get(token)
    return [{ token: known === undefined ? unk : token, id: known ?? id, ...span(word.from) }]
  }
  const encodeWord = parsed.wordLevel ? whole : (word: Aligned) => pieces.encodeWord(word)
  return { model: { encodeWord, idOf: (token) => own.get(token), tokens: own, count: own.size, unk: id }, pieces }
}

function unigramModel(parsed: Extract<TokenizerJson, { kind: 'sentencepiece' }>): Model {
  const { pieces, unknown, fields } = parsed
  const byteFallback = flag(fieldsOf(fields.model).byte_fallback, false)
  const unigram = new RustUnigram(pieces, { unknown, byteFallback })
  return {
    encodeWord: (word) => unigram.encode(word),
    idOf: (token) => unigram.idOf(token),
    tokens: pieces.map(([piece], id) => [piece, id] as const),
    count: pieces.length,
    unk: unknown ?? 0,
  }
}

/** Letters, digits and signs of a text: enough to see that a token cannot be in it once it is normalised. */
const squash = (text: string): string =>
  text
    .normalize('NFKD')
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[^\p{L}\p{N}\p{P}\p{S}]/gu, '')

/** Characters at which words are parted. */
const SEPARATOR = /[\p{White_Space}\u2581]/u

/** A `tokenizer.json`, executed as it is written. */
export class JsonTokenizer implements Tokenizer {
  readonly kind: Tokenizer['kind']
  readonly lowerCase: boolean
  readonly size: number
  readonly special: SpecialIds
  readonly file: string
  readonly frame: Frame
  readonly maxLength: number | undefined
  readonly cutsStart: boolean | undefined
  readonly cutsEvenly = true
  readonly readsSpecial = true
  readonly added: readonly AddedToken[]
  readonly #model: Model
  readonly #normalize: Normalizer
  readonly #preTokenize: PreTokenizer
  readonly #raw: TokenMatcher
  readonly #normalized: TokenMatcher
  /** Forms of normalised tokens that a text must have to hold one. */
  readonly #squashed: readonly string[]
  readonly #tokens: (string | undefined)[] = []
  readonly #byContent = new Map<string, number>()
  /** The quick way to ids of text without added tokens, for BERT's own layout. */
  readonly #pieces: WordPieceTokenizer | null
  /** Tokens of words, if the words of a text do not depend on each other. */
  readonly #known: PlainWords<KnownWord> | null

  /** @throws AlbertkitError `unsupported` or `malformed` if a part of the file cannot be followed */
  constructor(parsed: TokenizerJson, options: JsonTokenizerOptions) {
    const { file, settings } = options
    const given = bertOverrides(parsed.fields.normalizer, settings)
    const normalizer = options.lowerCase === undefined ? given : withLowerCase(given, options.lowerCase)
    const fields: Fields = { ...parsed.fields, normalizer }
    const lower = JSON.stringify(normalizer ?? null)
    this.lowerCase = lower.includes('"lowercase":true') || lower.includes('"Lowercase"')
    this.kind = parsed.kind
    this.file = file
    this.maxLength = settings?.maxLength
    this.cutsStart = settings?.cutsStart
    this.frame = buildFrame(fields.post_processor, file)
    this.#normalize = buildNormalizer(normalizer, file)
    this.#preTokenize = buildPreTokenizer(fields.pre_tokenizer, file)
    const words = parsed.kind === 'wordpiece' ? wordModel({ ...parsed, fields }, options, this.lowerCase) : null
    this.#model = words?.model ?? unigramModel(parsed as Extract<TokenizerJson, { kind: 'sentencepiece' }>)
    const isBert =
      fieldsOf(normalizer).type === 'BertNormalizer' && fieldsOf(fields.pre_tokenizer).type === 'BertPreTokenizer'
    this.#pieces = isBert && parsed.kind === 'wordpiece' && !parsed.wordLevel ? words!.pieces : null
    const isByWord = parsed.kind === 'sentencepiece' && isLocal(normalizer) && splitsAtSpaces(fields.pre_tokenizer)
    this.#known = isByWord ? new PlainWords((context, word) => this.#word(context, word)) : null
    this.added = allAdded(parsed, settings, this.#model)
    const matched = settings?.splitSpecial === true ? this.added.filter((token) => !token.special) : this.added
    this.#raw = new TokenMatcher(matched.filter((t) => !t.normalized).map((t) => [t.content, t]))
    this.#normalized = new TokenMatcher(
      matched.filter((t) => t.normalized).map((t) => [textOf(this.#normalize(alignedOf(t.content))), t]),
    )
    this.#squashed = matched.filter((t) => t.normalized).map((t) => squash(t.content))
    this.size = this.#fillTokens()
    this.special = this.#specialIds(settings)
  }

  /** Fills the tables of tokens, and gives the number of ids. */
  #fillTokens(): number {
    for (const [token, id] of this.#model.tokens) if (token !== '') this.#tokens[id] = token
    for (const { content, id } of this.added) {
      this.#tokens[id] = content
      this.#byContent.set(content, id)
    }
    return this.#tokens.length
  }

  #specialIds(settings: TokenizerSettings | null): SpecialIds {
    const ends = this.frame.single.flatMap((part) => ('id' in part ? [part.id] : []))
    const named = (name: string | undefined, ...usual: string[]): number | undefined =>
      [name, ...usual]
        .map((token) => (token === undefined ? undefined : this.idOf(token)))
        .find((id) => id !== undefined)
    const { names } = settings ?? {}
    return {
      cls: named(names?.cls) ?? ends[0] ?? named('[CLS]', '<s>') ?? -1,
      sep: named(names?.sep) ?? ends.at(-1) ?? named('[SEP]', '</s>') ?? -1,
      pad: named(names?.pad, '[PAD]', '<pad>') ?? 0,
      unk: this.#model.unk,
      mask: named(names?.mask, '[MASK]', '<mask>') ?? null,
    }
  }

  idOf(token: string): number | undefined {
    return this.#byContent.get(token) ?? this.#model.idOf(token)
  }

  tokenOf(id: number): string | undefined {
    return this.#tokens[id]
  }

  /** Tokens of normalised text between added tokens. */
  #words(text: Aligned): Token[] {
    return this.#preTokenize(text).flatMap((word) => this.#model.encodeWord(word))
  }

  /** A word that stands behind `context`; null if normalisation makes several of it, or none. */
  #word(context: string, word: string): KnownWord | null {
    const normal = this.#normalize(alignedOf(context + word))
    const parts = this.#preTokenize(normal)
    const text = textOf(normal)
    if (!text.startsWith(context) || SEPARATOR.test(text.slice(context.length))) return null
    if (parts.length !== (context === '' ? 1 : 2)) return null
    const tokens = this.#model.encodeWord(parts.at(-1)!).map((token) => shifted(token, -context.length))
    return { tokens, ids: tokens.map(({ id }) => id) }
  }

  /** True if the text certainly holds no added token. */
  #hasNoAdded(text: string): boolean {
    if (this.#raw.isIn(text)) return false
    const squashed = this.#squashed.length === 0 ? '' : squash(text)
    return !this.#squashed.some((token) => squashed.includes(token))
  }

  /** Words of a text, if they can be read one by one and none is an added token. */
  #wordsOf(text: string): ReturnType<PlainWords<KnownWord>['of']> {
    return this.#known !== null && this.#hasNoAdded(text) ? this.#known.of(text) : null
  }

  #encodeParts(text: string): Token[] {
    const tokenOf = (parts: readonly Part[], between: (text: Aligned) => Token[]): Token[] =>
      parts.flatMap(({ text: part, added }) =>
        added === null ? between(part) : [{ token: added.content, id: added.id, ...span(part.from) }],
      )
    return tokenOf(splitFast(alignedOf(text), this.#raw), (part) =>
      tokenOf(splitFast(this.#normalize(part), this.#normalized), (words) => this.#words(words)),
    )
  }

  encode(text: string): Token[] {
    if (this.#pieces !== null && this.#hasNoAdded(text)) return this.#pieces.encode(text)
    const words = this.#wordsOf(text)
    return (
      words?.flatMap(({ value, start }) => value.tokens.map((token) => shifted(token, start))) ??
      this.#encodeParts(text)
    )
  }

  ids(text: string, limit = Infinity): number[] {
    if (this.#pieces !== null && this.#hasNoAdded(text)) return this.#pieces.ids(text, limit)
    return this.#wordsOf(text)?.flatMap(({ value }) => value.ids) ?? this.#encodeParts(text).map(({ id }) => id)
  }
}
