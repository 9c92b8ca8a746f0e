import { displayWidth } from './display-width.js'
import { wrap } from './table.js'

/** A label and what is said under it, or a line that goes on with that: prose, without columns. */
const LABELLED = /^(\S+ {2,}| {6,})(\S+(?: \S+)*)$/

/**
 * Wraps the lines of a report that have a label (`note     …`) and do not fit `width` columns, between words and each
 * below its own beginning, as tables already are.
 */
export function hangLines(text: string, width: number): string {
  const fitted = (line: string): string => {
    if (displayWidth(line) <= width) return line
    const [, label = '', said = ''] = LABELLED.exec(line) ?? []
    const room = width - displayWidth(label)
    return label === '' || room < 20 ? line : label + wrap(said, room).join(`\n${' '.repeat(displayWidth(label))}`)
  }
  return text.split('\n').map(fitted).join('\n')
}
