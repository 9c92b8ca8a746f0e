import { Unusable } from './unusable.js'

/**
 * Records of CLUE's tasks whose texts are put together by the code of their baselines (CLUEbenchmark's run_classifier):
 * CSL's keywords before its abstract, and WSC's spans marked in the text.
 */

type Fields = Readonly<Record<string, unknown>>

/** Texts of a record of CSL: its keywords, and its abstract; null if it is none. */
function readCsl({ keyword, abst }: Fields): ClueTexts | null {
  const isCsl = typeof abst === 'string' && Array.isArray(keyword) && keyword.every((word) => typeof word === 'string')
  return isCsl ? { text: keyword.join(' '), textB: abst } : null
}

interface Span {
  /** Index of its first character, in code points. */
  readonly start: number
  readonly text: string
  readonly marks: readonly [before: string, after: string]
}

function spanOf(target: Fields, name: string, marks: Span['marks']): Span | null {
  const [text, start] = [target[`${name}_text`], target[`${name}_index`]]
  return typeof text === 'string' && typeof start === 'number' ? { text, start, marks } : null
}

/** Text of a record of WSC, its two spans marked: `_noun_`, `[pronoun]`; null if it is none. */
function readWsc({ text, target }: Fields): ClueTexts | null {
  if (typeof text !== 'string' || typeof target !== 'object' || target === null) return null
  const spans = [spanOf(target as Fields, 'span1', ['_', '_']), spanOf(target as Fields, 'span2', ['[', ']'])].flatMap(
    (span) => span ?? [],
  )
  if (spans.length !== 2) return null
  const characters = Array.from(text)
  for (const { start, text: own, marks } of spans.sort((a, b) => b.start - a.start)) {
    const length = Array.from(own).length
    if (characters.slice(start, start + length).join('') !== own)
      throw new Unusable(`target says that ${own} begins at character ${start} of the text, but it does not`)
    characters.splice(start, length, marks[0], own, marks[1])
  }
  return { text: characters.join(''), textB: null }
}

export interface ClueTexts {
  readonly text: string
  readonly textB: string | null
}

/** Texts of a record of CSL or WSC; null for other records. @throws Unusable if a span is not where it should be */
export const readClue = (fields: Fields): ClueTexts | null => readCsl(fields) ?? readWsc(fields)
