/**
 * Widths of text without a canvas. Vega's own estimate is 0.8 em a character: far too wide for Latin, which leaves
 * gaps, and too narrow for Chinese, which cuts labels off. These are Helvetica's advances by class of character.
 */
const NARROW = /[ijl.,:;!'|()[\]`/\\ ft·]/
const WIDE = /[mwMW@%—…]/
const UPPER = /[A-Z&#+=<>≈×÷]/
/** Two columns wide in a terminal, one em wide in print: CJK, kana, Hangul, full-width forms. */
const FULL =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u

function advance(character: string): number {
  if (FULL.test(character)) return 1
  if (NARROW.test(character)) return 0.29
  if (WIDE.test(character)) return 0.87
  return UPPER.test(character) ? 0.68 : 0.556
}

/** Width of `text` in pixels at `fontSize`. */
export function textWidth(text: string, fontSize: number, bold = false): number {
  let em = 0
  for (const character of text) em += advance(character)
  return em * fontSize * (bold ? 1.07 : 1.02)
}
