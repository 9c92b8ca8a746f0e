import { specialCount, type Features } from '../../text/data/features.js'
import { tokenNames } from '../../text/tokenizers/detokenize.js'
import { defaultFrame, type Token, type Tokenizer } from '../../text/tokenizers/tokenizer.js'
import { MASK, maskedParts } from '../inference/masked.js'
import type { InputToken, TextRequest } from './report.js'

/** Tokens of a model's input, with the characters that each comes from. */

/** Second text of a request; null if it is empty. */
export const secondText = ({ textB = null }: Pick<TextRequest, 'textB'>): string | null =>
  textB === null || textB.trim() === '' ? null : textB

type Offset = InputToken['offset']

/** The tokens of a text that were kept: one end may have been cut off. */
const kept = (tokens: readonly Token[], count: number, cutsStart: boolean): readonly Token[] =>
  cutsStart ? tokens.slice(tokens.length - count) : tokens.slice(0, count)

const offsetsOf = (tokens: readonly Token[]): Offset[] => tokens.map(({ start, end }) => [start, end])

/** Number of tokens of the first text in a pair: those before the special token that ends it. */
function firstLength(ids: readonly number[], a: readonly Token[], lead: number): number {
  let length = 0
  while (length < a.length && ids[lead + length] === a[length]!.id) length++
  return length
}

/** Offsets by position of `[CLS] a [SEP] b [SEP]`, or as the tokenizer frames its texts. */
function framedOffsets(tokenizer: Tokenizer, { input_ids }: Features, a: string, b: string | null): Offset[] {
  const { single, pair } = tokenizer.frame ?? defaultFrame(tokenizer.special)
  const second = b === null ? [] : tokenizer.encode(b)
  const isPair = second.length > 0 && input_ids.length > specialCount(single)
  const parts = isPair ? pair : single
  const total = input_ids.length - specialCount(parts)
  const first = tokenizer.encode(a)
  const lead = parts.findIndex((part) => 'text' in part)
  const { cutsStart = false } = tokenizer
  const length = isPair && !cutsStart ? firstLength(input_ids, first, lead) : first.length
  const own = Math.min(total, length)
  return parts.flatMap((part): Offset[] => {
    if (!('text' in part)) return [null]
    const [tokens, count] = part.text === 'a' ? [first, own] : [second, total - own]
    return offsetsOf(kept(tokens, count, cutsStart))
  })
}

const named = (tokenizer: Tokenizer, { input_ids, token_type_ids }: Features, offsets: readonly Offset[]) =>
  tokenNames(tokenizer, input_ids).map((token, i): InputToken => ({
    token,
    id: input_ids[i]!,
    segment: token_type_ids[i] ?? 0,
    offset: offsets[i] ?? null,
  }))

export interface InputTokens {
  readonly tokens: readonly InputToken[]
  readonly isCut: boolean
}

/** Tokens of a text or a pair as a model reads them. @param features of the texts, as `makeFeatures` makes them */
export function inputTokens(
  tokenizer: Tokenizer,
  [a, b]: readonly [a: string, b: string | null],
  features: Features,
): InputTokens {
  const tokens = named(tokenizer, features, framedOffsets(tokenizer, features, a, b))
  return { tokens, isCut: features.isCut === true }
}

/** Tokens of a text with masks. @param features of the text, as `maskedFeatures` makes them */
export function maskedTokens(tokenizer: Tokenizer, text: string, features: Features): InputTokens {
  let at = 0
  const offsets = maskedParts(text).flatMap((part, i): Offset[] => {
    const mask: Offset[] = i === 0 ? [] : [[at, at + MASK.length]]
    const start = at + (i === 0 ? 0 : MASK.length)
    at = start + Array.from(part).length
    return [...mask, ...tokenizer.encode(part).map((one): Offset => [start + one.start, start + one.end])]
  })
  const inner = features.input_ids.length - 2
  const tokens = named(tokenizer, features, [null, ...offsets.slice(0, inner), null])
  return { tokens, isCut: offsets.length > inner }
}
