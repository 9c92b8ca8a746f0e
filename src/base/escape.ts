/**
 * Names in model files are chosen by whoever wrote the file. Printed raw, a tensor name can move the cursor, recolour
 * the terminal, or show its letters in another order (bidirectional overrides). Everything invisible becomes an
 * escape: control characters with ESC and line breaks, format characters, line and paragraph separators, lone
 * surrogates.
 */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

const toEscapes = (character: string): string =>
  Array.from(
    { length: character.length },
    (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`,
  ).join('')

/** `text` safe to print within one line: every invisible character as `\uXXXX`. */
export const escapeControl = (text: string): string => text.replace(INVISIBLE, toEscapes)

/** `text` safe to print over several lines: breaks are kept, and each further line is indented. */
export const escapeLines = (text: string, indent = '  '): string =>
  text.split(/\r?\n/).map(escapeControl).join(`\n${indent}`)
