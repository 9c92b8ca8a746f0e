import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { TextModel } from '../../../src/api/inference/text-model.js'
import { readPiece } from '../../../src/api/inference/piece.js'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'albertkit-job-'))
})
afterAll(() => {
  rmSync(directory, { recursive: true, force: true })
})

/** Lines of CSV ask nothing of the model but its limits. */
const model = { task: 'classify', limits: { vocabulary: 8, segments: 2, positions: 8 } } as TextModel

it('a shard that begins behind the header reads the header, a damaged one like the shard that holds it', async () => {
  const piece = async (header: string) => {
    const input = join(directory, 'lines.csv')
    writeFileSync(input, `${header}\nx,one\ny,two\n`)
    const job = { model: 'model', input, format: 'jsonl', header: true } as const
    const range = { offset: header.length + 1, bytes: 12, firstLine: 2, lines: 2 }
    const { entries } = await readPiece(job, model, { range })
    const texts: unknown[] = []
    for await (const { item } of entries) texts.push(item !== null && 'text' in item ? item.text : item)
    return texts
  }
  expect(await piece('text,label')).toEqual(['x', 'y'])
  // Without names: label and text, as without a header.
  expect(await piece('"text,label')).toEqual(['one', 'two'])
})
