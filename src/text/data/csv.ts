import type { Line } from './lines.js'

/** CSV of RFC 4180: fields between commas; a quoted field may hold commas, doubled quotes and line ends. */

/** Longest record, in lines and characters: a longer one is taken for a quote that was never closed. */
const MAX_LINES = 1000
const MAX_CHARS = 1 << 20

/** Error of a text that is not CSV. */
export class CsvError extends Error {}

/** Reads the fields of a text; true if the last one is quoted and has not ended. @throws CsvError */
function scan(text: string, open: boolean, take: (field: string) => void = () => undefined): boolean {
  let inside = open
  for (let at = 0; ;) {
    let field = ''
    if (inside || text[at] === '"') {
      if (!inside) at++
      inside = false
      for (;;) {
        const quote = text.indexOf('"', at)
        if (quote === -1) return true
        field += text.slice(at, quote)
        at = quote + 1
        if (text[at] !== '"') break
        field += '"'
        at++
      }
      if (at < text.length && text[at] !== ',') throw new CsvError('there is text after a quoted field')
    } else {
      const comma = text.indexOf(',', at)
      field = text.slice(at, comma === -1 ? undefined : comma)
      at = comma === -1 ? text.length : comma
    }
    take(field)
    if (at >= text.length) return false
    at++
  }
}

/** Fields of a record. @throws CsvError if it is not one */
export function csvFields(record: string): string[] {
  const fields: string[] = []
  if (scan(record, false, (field) => fields.push(field))) throw new CsvError('a quoted field does not end')
  return fields
}

/** True if a quoted field continues after the line; null if the line is not CSV. */
function goesOn(text: string, open: boolean): boolean | null {
  try {
    return scan(text, open)
  } catch {
    return null
  }
}

/**
 * Records as lines, each with the number of its first line. A quote that is not closed spoils its own line only: that
 * line becomes a record by itself, and the next line begins another. The start of a record therefore does not depend on
 * anything before it.
 */
export async function* csvRecords(lines: AsyncIterable<Line>): AsyncGenerator<Line> {
  const iterator = lines[Symbol.asyncIterator]()
  // Lines that were read ahead and do not belong to a record yet.
  const ahead: Line[] = []
  const line = async (index: number): Promise<Line | null> => {
    while (ahead.length <= index) {
      const next = await iterator.next()
      if (next.done === true) return null
      ahead.push(next.value)
    }
    return ahead[index]!
  }
  try {
    for (let first = await line(0); first !== null; first = await line(0)) {
      let count = 1
      let chars = first.text.length
      let open = goesOn(first.text, false)
      while (open === true && count < MAX_LINES && chars < MAX_CHARS) {
        const next = await line(count)
        if (next === null) break
        count++
        chars += next.text.length
        open = goesOn(next.text, true)
      }
      const own = ahead.splice(0, open === false ? count : 1)
      const last = own.at(-1)!
      if (own.length === 1) yield first
      else
        yield {
          number: first.number,
          text: own.map(({ text }) => text).join('\n'),
          ...(own.every(({ valid }) => valid !== false) ? {} : { valid: false }),
          ...(last.end === undefined ? {} : { end: last.end }),
          next: last.number + 1,
        }
    }
  } finally {
    await iterator.return?.()
  }
}
