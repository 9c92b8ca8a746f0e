import { escapeControl } from './escape.js'

/**
 * The text of a JSON document, safe to print. `JSON.stringify` leaves C1 controls and bidirectional overrides as they
 * are; escaped they mean the same to a parser and nothing to a terminal.
 */
export const toJsonText = (value: unknown): string =>
  `${JSON.stringify(value, null, 2).split('\n').map(escapeControl).join('\n')}\n`

/** The same in one line, without its end. */
export const toJsonLine = (value: unknown): string => escapeControl(JSON.stringify(value))

/** Depth up to which JSON of others is read, as serde_json reads it: what goes through a deeper value has no stack left. */
const MAX_DEPTH = 127

/** True if brackets nest too deep in a text, those in strings left out. */
function isTooDeep(text: string): boolean {
  let [depth, isString] = [0, false]
  for (let at = 0; at < text.length; at++) {
    const c = text[at]
    if (isString) {
      if (c === '\\') at++
      else if (c === '"') isString = false
    } else if (c === '"') isString = true
    else if (c === '[' || c === '{') {
      if (++depth > MAX_DEPTH) return true
    } else if (c === ']' || c === '}') depth--
  }
  return false
}

/** The value of a JSON text that others have written. @throws SyntaxError, also if it nests too deep */
export function parseJson(text: string): unknown {
  if (isTooDeep(text)) throw new SyntaxError(`nested deeper than ${MAX_DEPTH}`)
  return JSON.parse(text)
}
