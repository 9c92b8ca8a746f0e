import { escapeControl } from './escape.js'

/**
 * The text of a JSON document, safe to print. `JSON.stringify` leaves C1 controls and bidirectional overrides as they
 * are; escaped they mean the same to a parser and nothing to a terminal.
 */
export const toJsonText = (value: unknown): string =>
  `${JSON.stringify(value, null, 2).split('\n').map(escapeControl).join('\n')}\n`
