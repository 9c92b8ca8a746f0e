import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { disk } from '../../../src/files/disk.js'
import { RangedFile } from '../../../src/formats/core/file.js'
import { covers } from '../../../src/formats/views/slices.js'
import { TableReader } from '../../../src/formats/tf-bundle/table.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-table-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** A block of short entries, with the trailer that says it is not compressed. */
function block(entries: readonly (readonly [string, readonly number[]])[]): number[] {
  const bytes = entries.flatMap(([key, value]) => [0, key.length, value.length, ...Buffer.from(key), ...value])
  return [...bytes, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]
}

/** A table whose index lists `handles`. */
function table(data: readonly number[], handles: readonly (readonly [number, number])[]): RangedFile {
  const index = block(handles.map((handle, i) => [`key${String(i)}`, handle]))
  const footer = Buffer.alloc(48)
  footer.set([0, 0, data.length, index.length - 5])
  footer.writeBigUInt64LE(0xdb4775248b80fb57n, 40)
  const path = join(folder, 'table')
  writeFileSync(path, Buffer.concat([Buffer.from(data), Buffer.from(index), footer]))
  return new RangedFile(disk, path)
}

it('a table that lists one block again and again is refused: its entries would fill the memory', () => {
  const data = block([['key', [1]]])
  const keys = (handles: readonly (readonly [number, number])[]): string[] => {
    const file = table(data, handles)
    try {
      return [...new TableReader(file, false).entries()].map(({ key }) => Buffer.from(key).toString())
    } finally {
      file.close()
    }
  }
  const handle = [0, data.length - 5] as const
  expect(keys([handle])).toEqual(['key'])
  expect(() => keys([handle, handle])).toThrow(expect.objectContaining({ kind: 'malformed' }))
})

it('slices are compared with each other only if there are as many as a variable has', () => {
  const rows = (count: number) => Array.from({ length: count }, (_, i) => ({ start: [i], extent: [1] }))
  expect(covers(rows(1024), [1024])).toBe(true)
  const start = Date.now()
  expect(covers(rows(200_000), [200_000])).toBe(false)
  expect(Date.now() - start).toBeLessThan(2000)
})
