import type { Token } from '../tokenizers/tokenizer.js'

const CJK = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u
const first = (token: string): string => Array.from(token)[0] ?? ''
const last = (token: string): string => Array.from(token).at(-1) ?? ''

/**
 * For each token, true if it continues the word of the token before: WordPiece writes `##` before it, SentencePiece no
 * `▁`; there is nothing between the two in the text. Characters of scripts without spaces are separate words.
 */
export function continuesWord(tokens: readonly Token[], kind: 'wordpiece' | 'sentencepiece'): boolean[] {
  return tokens.map(({ token, start }, i) => {
    const before = tokens[i - 1]
    if (before?.end !== start) return false
    if (kind === 'wordpiece') return token.startsWith('##')
    return !token.startsWith('▁') && !CJK.test(first(token)) && !CJK.test(last(before.token))
  })
}
