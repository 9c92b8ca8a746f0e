const FULL_WIDTH =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/gu
// Built once: a bundler makes a call of a literal that its target may lack.
const MARKS = /\p{M}/gu
const ASCII = /^[\x20-\x7e]*$/

/** Number of terminal columns of `text`: a CJK character takes two. */
export const displayWidth = (text: string): number =>
  ASCII.test(text) ? text.length : Array.from(text.replace(MARKS, '')).length + (text.match(FULL_WIDTH)?.length ?? 0)

/** Shortens `text` to at most `width` columns, at least 1: `…` stands for what is cut. */
export function clip(text: string, width: number): string {
  if (displayWidth(text) <= width) return text
  let kept = ''
  for (const character of text) {
    if (displayWidth(kept + character) > width - 1) break
    kept += character
  }
  return `${kept}…`
}
