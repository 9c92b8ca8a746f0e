import type { Line } from './lines.js'

/** RFC 4180: fields between commas; a quoted one may hold commas, doubled quotes, and line ends. */

/** A record of more lines, or characters, is taken for a quote that somebody forgot to close. */
const MAX_LINES = 1000
const MAX_CHARS = 1 << 20

/** What a text that is no CSV has wrong. */
export class CsvError extends Error {}

/** Goes through the fields of a text; gives whether the last one, a quoted one, has not ended. @throws CsvError */
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
      if (at < text.length && text[at] !== ',') throw new CsvError('there is text behind a quoted field')
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

/** The fields of a record. @throws CsvError where it is none */
export function csvFields(record: string): string[] {
  const fields: string[] = []
  if (scan(record, false, (field) => fields.push(field))) throw new CsvError('a quoted field does not end')
  return fields
}

/** Whether a quoted field goes on behind a line; null where the line is no CSV. */
function goesOn(text: string, open: boolean): boolean | null {
  try {
    return scan(text, open)
  } catch {
    return null
  }
}

/**
 * Records as lines, each with the number of its first line. A quote that is not closed spoils its own line and no other:
 * where no record comes of it, the next line is a record again. Where a record begins depends on nothing before it.
 */
export async function* csvRecords(lines: AsyncIterable<Line>): AsyncGenerator<Line> {
  const iterator = lines[Symbol.asyncIterator]()
  // Lines that were looked at, and belong to a later record if to none.
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
