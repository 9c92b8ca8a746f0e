import { escapeControl } from './escape.js'

/**
 * The text of a JSON document, safe to print. `JSON.stringify` leaves C1 controls and bidirectional overrides as they
 * are; escaped they mean the same to a parser and nothing to a terminal.
 */
export const toJsonText = (value: unknown): string =>
  `${JSON.stringify(value, null, 2).split('\n').map(escapeControl).join('\n')}\n`

/** The same in one line, without its end. */
export const toJsonLine = (value: unknown): string => escapeControl(JSON.stringify(value))
