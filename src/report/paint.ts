import { styleText } from 'node:util'

type Colour = 'green' | 'red' | 'yellow'

/** Words of reports that are verdicts, with their colours. Each is at the start or the end of its line. */
const VERDICTS: readonly (readonly [RegExp, Colour])[] = [
  [/(?<= )ok$/gm, 'green'],
  [/^(?:verified|good)\b/gm, 'green'],
  [/(?<= )DIFFERS\b.*$/gm, 'red'],
  [/^(?:NOT verified|BAD|nothing was written: the check failed)\b/gm, 'red'],
  [/REFUSED$/gm, 'red'],
  [/^look(?= {2})/gm, 'yellow'],
]

/** Colours the verdicts of a report, for a terminal. Everything else stays as it is. */
export const paint = (text: string): string =>
  VERDICTS.reduce(
    (painted, [pattern, colour]) =>
      painted.replace(pattern, (word) => styleText(colour, word, { validateStream: false })),
    text,
  )
