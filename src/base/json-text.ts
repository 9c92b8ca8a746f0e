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
export const MAX_JSON_DEPTH = 127

const [QUOTE, BACKSLASH] = [0x22, 0x5c]
const OPENING = new Set([0x5b, 0x7b])
const CLOSING = new Set([0x5d, 0x7d])

/** True if brackets nest too deep in a text, those in strings left out. */
function isTooDeep(text: string): boolean {
  let [depth, isString] = [0, false]
  for (let at = 0; at < text.length; at++) {
    const c = text.charCodeAt(at)
    if (c === QUOTE) isString = !isString
    else if (isString) {
      if (c === BACKSLASH) at++
    } else if (OPENING.has(c)) {
      if (++depth > MAX_JSON_DEPTH) return true
    } else if (CLOSING.has(c)) depth--
  }
  return false
}

/** The value of a JSON text that others have written. @throws SyntaxError, also if it nests too deep */
export function parseJson(text: string): unknown {
  if (isTooDeep(text)) throw new SyntaxError(`nested deeper than ${MAX_JSON_DEPTH}`)
  return JSON.parse(text)
}

/** Characters of a value in a message. */
const MAX_SHOWN = 60

/** A value that others have written for a message: its JSON, without the end if it is long. */
export function shownJson(value: unknown): string {
  const text = (JSON.stringify(value) as string | undefined) ?? 'undefined'
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN - 1)}…` : text
}
