import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { csvFields, csvRecords } from '../../../src/text/data/csv.js'
import { ExampleReader, isBad, recordsOf } from '../../../src/text/data/examples.js'
import type { Line } from '../../../src/text/data/lines.js'

async function* linesOf(text: string): AsyncGenerator<Line> {
  let end = 0
  for (const [i, line] of text.split('\n').entries()) {
    end += Buffer.byteLength(line) + 1
    await Promise.resolve()
    yield { number: i + 1, text: line, end }
  }
}

async function recordsIn(text: string): Promise<Line[]> {
  const found: Line[] = []
  for await (const record of csvRecords(linesOf(text))) found.push(record)
  return found
}

const written = (fields: readonly string[]): string => fields.map((f) => `"${f.replaceAll('"', '""')}"`).join(',')

it('what was quoted is read back, wherever its lines end', async () => {
  const field = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '中', ' ') })
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(field, { minLength: 1, maxLength: 3 }), { minLength: 1 }), async (rows) => {
      const text = rows.map(written).join('\n')
      const records = await recordsIn(text)
      expect(records.map((r) => csvFields(r.text))).toEqual(rows)
      // Each begins where the one before it ends, and says where the next one does.
      let [line, end] = [1, 0]
      rows.forEach((row, i) => {
        expect(records[i]!.number).toBe(line)
        line += written(row).split('\n').length
        end += Buffer.byteLength(written(row)) + 1
        expect([records[i]!.next ?? records[i]!.number + 1, records[i]!.end]).toEqual([line, end])
      })
    }),
  )
})

it('a quote that is not closed spoils its own line and no other', async () => {
  const text = '体育,"从不结束\n财经,央行\n体育,"两\n行"\n体育,"后"面\n科技,x"y\n体育,"末'
  const reader = new ExampleReader({ format: 'csv' })
  const read: unknown[] = []
  for await (const record of recordsOf(linesOf(text), 'csv')) {
    const item = reader.read(record)
    if (item !== null) read.push([item.line, isBad(item) ? item.reason : item.text])
  }
  expect(read).toEqual([
    [1, 'a quoted field does not end'],
    [2, '央行'],
    [3, '两\n行'],
    [5, 'there is text after a quoted field'],
    [6, 'x"y'],
    [7, 'a quoted field does not end'],
  ])
})

it('nothing is looked at for long', async () => {
  const records = await recordsIn(`"\n${'x\n'.repeat(5000)}`)
  expect([records.length, records[0]!.text, records.at(-1)!.number]).toEqual([5002, '"', 5002])
})
