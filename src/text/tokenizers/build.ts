import { unsupported } from '../../base/errors.js'
import type { AddedToken } from './added-tokens.js'
import { transformersRules, type BasicRules } from './basic-rules.js'
import { japaneseTokenizer } from './japanese.js'
import { JsonTokenizer } from './json-tokenizer.js'
import { bertNormalizer, fieldsOf } from './normalizers.js'
import { buildFrame } from './post-processors.js'
import { ALBERT_SPECIAL, SentencePieceTokenizer } from './sentencepiece.js'
import { SlowTokenizer } from './slow-tokenizer.js'
import type { SpieceModel } from './spiece-model.js'
import type { TokenizerSettings } from './tokenizer-config.js'
import type { TokenizerJson } from './tokenizer-json.js'
import type { Tokenizer } from './tokenizer.js'
import { BERT_SPECIAL, WordPieceTokenizer, type SpecialNames } from './wordpiece.js'
import { PYTHON_SPACE } from './unicode.js'

/** Tokenizers as the classes of transformers build them from their files. */

export interface BuildOptions {
  readonly file: string
  /** True to lower-case text; overrides the settings. */
  readonly lowerCase?: boolean | undefined
  /** Remarks for the user. */
  readonly notes?: readonly string[] | undefined
}

/** Classes of transformers with the Python code of BertTokenizer. */
const BERT_CLASSES =
  /^(Bert|Electra|DistilBert|MobileBert|ConvBert|Lxmert|LayoutLM|SqueezeBert|RetriBert|PreTrained|Albert)Tokenizer$/

/** @throws AlbertkitError `unsupported`, naming the class, if no rules here are those of the class */
function checkClass(settings: TokenizerSettings | null, file: string, known: RegExp): void {
  const className = settings?.className ?? null
  if (className === null || known.test(className)) return
  throw unsupported(`the tokenizer is a ${className}, whose rules are not known`, {
    code: 'tokenizer-unsupported',
    file,
    field: 'tokenizer_class',
    hint: 'a tokenizer.json beside it, as transformers saves it for a fast tokenizer, can be followed',
  })
}

/** Added tokens of a Python tokenizer: those of the settings, and special ones, the vocabulary's or behind it. */
function addedTokens(
  settings: TokenizerSettings | null,
  special: readonly string[],
  vocabulary: { readonly size: number; idOf(token: string): number | undefined },
  lstripped: string | null,
): AddedToken[] {
  const added = new Map((settings?.added ?? []).map((token) => [token.content, token]))
  let next = vocabulary.size + [...added.keys()].filter((token) => vocabulary.idOf(token) === undefined).length
  for (const content of special) {
    if (content === '' || added.has(content)) continue
    const id = vocabulary.idOf(content) ?? next++
    const lstrip = content === lstripped
    added.set(content, { id, content, singleWord: false, lstrip, rstrip: false, normalized: false, special: true })
  }
  return [...added.values()]
}

const namesOf = (defaults: SpecialNames, settings: TokenizerSettings | null): SpecialNames => ({
  ...defaults,
  ...settings?.names,
})

/** `do_basic_tokenize: false`: words between white space, as they are. */
const PLAIN_RULES: BasicRules = {
  isDropped: () => false,
  isSpace: (char) => PYTHON_SPACE.test(char),
  isAlone: () => false,
  isPunctuation: () => false,
  compose: false,
  change: (word) => word,
  maxChars: 100,
}

/**
 * BertTokenizer of transformers, or a class with the same rules, over a vocabulary.
 * @throws AlbertkitError `unsupported`, `malformed`
 */
export function slowWordPiece(
  vocabulary: ReadonlyMap<string, number>,
  settings: TokenizerSettings | null,
  { file, lowerCase: asked, notes }: BuildOptions,
): Tokenizer {
  const isJapanese = settings?.className === 'BertJapaneseTokenizer'
  if (!isJapanese) checkClass(settings, file, BERT_CLASSES)
  const basic = settings?.basicTokenize ?? true
  const lowerCase = basic && (asked ?? settings?.lowerCase ?? !isJapanese)
  const stripAccents = settings?.stripAccents ?? lowerCase
  const names = namesOf(BERT_SPECIAL, settings)
  const { unk, sep, pad, cls, mask } = names
  const special = [...new Set([unk, sep, pad, cls, mask, ...(settings?.special ?? [])])]
  const added = addedTokens(settings, special, { size: vocabulary.size, idOf: (t) => vocabulary.get(t) }, null)
  const rules = transformersRules({ lowerCase, stripAccents, chinese: settings?.chinese })
  const options = {
    file,
    lowerCase,
    stripAccents,
    names,
    notes: lowerCase ? notes : [],
    rules: basic ? rules : PLAIN_RULES,
    added: new Map(added.map(({ content, id }) => [content, id])),
    // BasicTokenizer leaves special tokens that stand apart whole, also where `split_special_tokens` is set.
    whole: new Set(special),
    ...(settings === null || settings.neverSplit.length === 0 ? {} : { neverSplit: new Set(settings.neverSplit) }),
  }
  const inner = isJapanese
    ? japaneseTokenizer(vocabulary, options, settings.fields)
    : new WordPieceTokenizer(vocabulary, options)
  return new SlowTokenizer(inner, {
    added,
    special,
    maxLength: settings?.maxLength,
    cutsStart: settings?.cutsStart,
    splitSpecial: settings?.splitSpecial ?? false,
  })
}

/**
 * AlbertTokenizer of transformers over a SentencePiece model.
 * @throws AlbertkitError `unsupported`, `malformed`
 */
export function slowSentencePiece(
  model: SpieceModel,
  settings: TokenizerSettings | null,
  { file, lowerCase: asked }: BuildOptions,
): Tokenizer {
  checkClass(settings, file, /^(Albert|PreTrained)Tokenizer$/)
  const lowerCase = asked ?? settings?.lowerCase ?? true
  const names = namesOf(ALBERT_SPECIAL, settings)
  const { cls, sep, unk, pad, mask } = names
  const special = [...new Set(['[CLS]', '[SEP]', unk, sep, pad, cls, mask, ...(settings?.special ?? [])])]
  const own = new Map(model.pieces.map(({ piece }, id) => [piece, id]))
  const added = addedTokens(settings, special, { size: own.size, idOf: (t) => own.get(t) }, mask)
  const inner = new SentencePieceTokenizer(model, {
    file,
    lowerCase,
    names,
    albert: { removeSpace: settings?.removeSpace ?? true, keepAccents: settings?.keepAccents ?? false },
    added: new Map(added.map(({ content, id }) => [content, id])),
  })
  return new SlowTokenizer(inner, {
    added,
    special,
    maxLength: settings?.maxLength,
    cutsStart: settings?.cutsStart,
    splitSpecial: settings?.splitSpecial ?? false,
  })
}

/** Settings of the Python tokenizer that a `tokenizer.json` written by albertkit represents. */
function settingsOf(parsed: TokenizerJson, file: string): TokenizerSettings {
  const normalizer = fieldsOf(parsed.fields.normalizer)
  const { chinese } = bertNormalizer(normalizer)
  const nameOf = (id: number | undefined): string | undefined =>
    parsed.addedTokens.find((token) => token.id === id)?.content
  const ends = buildFrame(parsed.fields.post_processor, file).single.flatMap((part) => ('id' in part ? [part.id] : []))
  const [cls, sep] = [nameOf(ends[0]), nameOf(ends.at(-1))]
  const { unk_token: unk } = fieldsOf(parsed.fields.model)
  const has = (name: string): boolean => parsed.addedTokens.some(({ content }) => content === name)
  return {
    className: null,
    lowerCase: parsed.lowerCase,
    stripAccents: parsed.kind === 'wordpiece' ? parsed.stripAccents : undefined,
    chinese,
    keepAccents: parsed.kind === 'sentencepiece' && !JSON.stringify(normalizer).includes('"StripAccents"'),
    removeSpace: undefined,
    basicTokenize: undefined,
    neverSplit: [],
    maxLength: undefined,
    cutsStart: false,
    splitSpecial: false,
    names: {
      ...(cls === undefined ? {} : { cls }),
      ...(sep === undefined ? {} : { sep }),
      ...(typeof unk === 'string' ? { unk } : {}),
      ...(has('<pad>') ? { pad: '<pad>' } : {}),
      ...(has('<mask>') ? { mask: '<mask>' } : {}),
    },
    special: parsed.addedTokens.filter(({ special }) => special).map(({ content }) => content),
    added: parsed.addedTokens,
    fields: {},
  }
}

/**
 * The tokenizer of a `tokenizer.json`: executed as it is written, or by the rules that albertkit noted in it.
 * @throws AlbertkitError `unsupported`, `malformed`
 */
export function fromTokenizerJson(
  parsed: TokenizerJson,
  settings: TokenizerSettings | null,
  { file, lowerCase: asked }: BuildOptions,
): Tokenizer {
  const { rules, kind } = parsed
  const lowerCase = asked ?? parsed.lowerCase
  if (rules === 'google') {
    if (kind === 'sentencepiece')
      return new SentencePieceTokenizer(parsed.model, { file, lowerCase, plain: parsed.plain })
    const stripAccents = parsed.stripAccents ?? lowerCase
    return new WordPieceTokenizer(parsed.vocabulary, { file, lowerCase, stripAccents })
  }
  if (rules === 'transformers') {
    const given = settings ?? settingsOf(parsed, file)
    const options = { file, lowerCase: asked }
    if (kind === 'sentencepiece') return slowSentencePiece(parsed.model, given, options)
    return slowWordPiece(parsed.own, given, options)
  }
  return new JsonTokenizer(parsed, { file, settings, lowerCase: asked })
}
