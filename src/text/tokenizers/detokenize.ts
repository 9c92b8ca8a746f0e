import type { Tokenizer } from './tokenizer.js'

/** Chinese characters and punctuation stand next to each other without a space. */
const BETWEEN_CHINESE =
  /(?<=[\p{Script=Han}\p{P}]) (?=[\p{Script=Han}\p{P}\p{N}])|(?<=\p{N}) (?=[\p{Script=Han}\p{P}])/gu

/** Tokens as they stand in the vocabulary; what is not in it, by its id. */
export const tokenNames = (tokenizer: Pick<Tokenizer, 'tokenOf'>, ids: readonly number[]): string[] =>
  ids.map((id) => tokenizer.tokenOf(id) ?? `[id ${id}]`)

/** The text that tokens may have come from, for a person to read: what a tokenizer dropped stays away. */
export function readable(tokenizer: Pick<Tokenizer, 'kind' | 'tokenOf'>, ids: readonly number[]): string {
  const tokens = tokenNames(tokenizer, ids)
  if (tokenizer.kind === 'sentencepiece') return tokens.join('').replaceAll('\u2581', ' ').trim()
  return tokens.join(' ').replaceAll(' ##', '').replace(BETWEEN_CHINESE, '')
}
