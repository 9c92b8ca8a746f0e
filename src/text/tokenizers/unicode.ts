/** Classes of characters as Python and the genuine tokenizers see them. Characters are code points throughout. */

/** White space of Python's `str.split()` and `str.strip()`: unlike JavaScript's `\s` without U+FEFF. */
export const PYTHON_SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/

/** White space of tokenization.py `_is_whitespace`. */
export const isWhitespace = (char: string): boolean => /^[ \t\n\r\p{Zs}]$/u.test(char)

/** Control characters of `_is_control`, which excludes tab, line feed and carriage return. */
export const isControl = (char: string): boolean => !/^[\t\n\r]$/.test(char) && /^[\p{Cc}\p{Cf}]$/u.test(char)

/** `_is_punctuation`: everything in ASCII that is no letter, digit or space counts, as do all of Unicode's P classes. */
export const isPunctuation = (char: string): boolean => /^[!-/:-@[-`{-~\p{P}]$/u.test(char)

/** The blocks of `_is_chinese_char`. */
const CHINESE: readonly (readonly [number, number])[] = [
  [0x4e00, 0x9fff],
  [0x3400, 0x4dbf],
  [0x20000, 0x2a6df],
  [0x2a700, 0x2b73f],
  [0x2b740, 0x2b81f],
  [0x2b820, 0x2ceaf],
  [0xf900, 0xfaff],
  [0x2f800, 0x2fa1f],
]
export const isChinese = (char: string): boolean => {
  const code = char.codePointAt(0) ?? 0
  return code >= 0x3400 && CHINESE.some(([first, last]) => code >= first && code <= last)
}

/**
 * Python's `unicodedata.combining(c) != 0` of a decomposed character. JavaScript has no access to the class, but
 * canonical ordering shows it: marks are swapped with one of a lower (U+0334, class 1) or higher (U+0345, class 240)
 * class.
 */
export function isCombining(char: string): boolean {
  if (char < '\u0300') return false
  const low = `${char}\u0334`
  const high = `\u0345${char}`
  return char === '\u0334' || low.normalize('NFD') !== low || high.normalize('NFD') !== high
}

/** Digits that are no decimals and that NFKC keeps: what Python's `str.isdigit` takes beyond `\p{Nd}`. */
const OTHER_DIGITS =
  /^[\xb2\xb3\xb9\u1369-\u1371\u19da\u2070\u2074-\u2079\u2080-\u2089\u2460-\u2468\u2474-\u247c\u2488-\u2490\u24ea\u24f5-\u24fd\u24ff\u2776-\u277e\u2780-\u2788\u278a-\u2792\u{10a40}-\u{10a43}\u{10e60}-\u{10e68}\u{11052}-\u{1105a}\u{1f100}-\u{1f10a}]$/u

/** Python's `str.isdigit` of one character. */
export const isDigit = (char: string): boolean => /^\p{Nd}$/u.test(char) || OTHER_DIGITS.test(char)
