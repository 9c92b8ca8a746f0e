import type { Tokenizer } from './tokenizer.js'

/** Chinese characters and punctuation, which are joined without a space. */
const BETWEEN_CHINESE =
  /(?<=[\p{Script=Han}\p{P}]) (?=[\p{Script=Han}\p{P}\p{N}])|(?<=\p{N}) (?=[\p{Script=Han}\p{P}])/gu

/** Tokens as written in the vocabulary; an id outside of it as `[id]`. */
export const tokenNames = (tokenizer: Pick<Tokenizer, 'tokenOf'>, ids: readonly number[]): string[] =>
  ids.map((id) => tokenizer.tokenOf(id) ?? `[id ${id}]`)

/** Readable approximation of the text of tokens; characters that the tokenizer dropped are missing. */
export function readable(tokenizer: Pick<Tokenizer, 'kind' | 'tokenOf'>, ids: readonly number[]): string {
  const tokens = tokenNames(tokenizer, ids)
  if (tokenizer.kind === 'sentencepiece') return tokens.join('').replaceAll('\u2581', ' ').trim()
  return tokens.join(' ').replaceAll(' ##', '').replace(BETWEEN_CHINESE, '')
}
