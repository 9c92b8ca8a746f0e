/**
 * Names in model files are chosen by the author of the file. Printed raw, a tensor name can move the cursor, recolour
 * the terminal, or show its letters in another order (bidirectional overrides). Everything invisible becomes an
 * escape: control characters with ESC and line breaks, format characters, line and paragraph separators, lone
 * surrogates. Each kind of output has one function here.
 */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu
const SOME_INVISIBLE = new RegExp(INVISIBLE.source, 'u')
/** The same but for the joiners, which Persian and Indic words and emoji consist of. */
const NOT_DATA = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu
/** Characters that no text may send to a terminal; line ends, also half of the last one, and tabs are allowed. */
const UNPRINTABLE = /(?!\t|\r?\n|\r$)[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu
/** Characters that XML 1.0 does not have, not even as references. */
const NOT_XML = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Cs}/gu

const toEscapes = (character: string): string =>
  Array.from(
    { length: character.length },
    (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`,
  ).join('')

/** `text` safe to print within one line: every invisible character as `\uXXXX`. */
export const escapeControl = (text: string): string => text.replace(INVISIBLE, toEscapes)

/** True if every text in a value is safe to print within one line, keys too. */
function isPrintable(value: unknown): boolean {
  if (typeof value === 'string') return !SOME_INVISIBLE.test(value)
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return true
  if (Array.isArray(value)) return value.every(isPrintable)
  return Object.entries(value).every(([key, inner]) => isPrintable(key) && isPrintable(inner))
}

/**
 * A report, or the specification of a picture, with every text in it safe to print within one line, keys too. What is
 * safe already is not copied: a report may list 100,000 variables.
 */
export function escapeAll<T>(value: T): T {
  if (isPrintable(value)) return value
  if (typeof value === 'string') return escapeControl(value) as T
  if (Array.isArray(value)) return value.map((inner: unknown) => escapeAll(inner)) as T
  const entries = Object.entries(value as object)
  return Object.fromEntries(entries.map(([key, inner]) => [escapeControl(key), escapeAll(inner)])) as T
}

/** `text` safe to print over several lines: breaks are kept, and each further line is indented. */
export const escapeLines = (text: string, indent = '  '): string =>
  text.split(/\r?\n/).map(escapeControl).join(`\n${indent}`)

/** A finished text of several lines without what a terminal would obey; its parts are escaped before. */
export const printable = (text: string): string => text.replace(UNPRINTABLE, toEscapes)

/** Escapes `text` for XML and HTML, in content and in attributes; what XML does not have becomes U+FFFD. */
export const escapeXml = (text: string): string =>
  text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`).replace(NOT_XML, '\ufffd')

/** A whole XML document without the characters that XML does not have. */
export const onlyXml = (document: string): string => document.replace(NOT_XML, '\ufffd')

/** A field of TSV, in which no character can be quoted: tabs, line ends and everything invisible as `\uXXXX`. */
export const tsvField = (text: string): string => text.replace(NOT_DATA, toEscapes)

/** First characters of a formula in a spreadsheet; a minus only if no number follows. */
const FORMULA = /^[=+@＝＋－＠]|^-(?!\d+(\.\d+)?(e[+-]?\d+)?$)/i

/** A field of CSV (RFC 4180), quoted if needed; a text that a spreadsheet would run as a formula gets an apostrophe. */
export function csvField(text: string): string {
  const plain = tsvField(text)
  const safe = FORMULA.test(plain) ? `'${plain}` : plain
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** A line of TSV or CSV. */
export const fieldsLine = (format: 'tsv' | 'csv', fields: readonly string[]): string =>
  format === 'tsv' ? fields.map(tsvField).join('\t') : fields.map(csvField).join(',')
