import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { concatBytes, utf8Bytes } from '../../../src/base/bytes.js'
import { disk } from '../../../src/files/disk.js'
import { RangedFile } from '../../../src/formats/core/file.js'
import { readZipDirectory } from '../../../src/formats/zip/directory.js'
import { ZipMember } from '../../../src/formats/zip/member.js'
import { MAX_ZIP_OFFSET, zipArchive } from '../../../src/formats/zip/write.js'

const scratch = mkdtempSync(join(tmpdir(), 'albertkit-zip-'))
afterAll(() => {
  rmSync(scratch, { recursive: true })
})

const FILES = [
  { name: 'labels.txt', bytes: utf8Bytes('体育\n财经\n') },
  { name: 'größe.txt', bytes: new Uint8Array(0) },
  { name: 'vocab.txt', bytes: Uint8Array.from({ length: 70_000 }, (_, i) => i * 31) },
]

it.each([0, 1, 4097])('an archive behind %d other bytes is read, checksums too', (start) => {
  const path = join(scratch, `${start}.zip`)
  writeFileSync(path, concatBytes([new Uint8Array(start).fill(0x50), zipArchive(FILES, start)]))
  const file = new RangedFile(disk, path)
  const entries = readZipDirectory(file)
  expect(entries.map(({ name, stored }) => [name, stored])).toEqual(FILES.map(({ name }) => [name, true]))
  for (const [i, entry] of entries.entries()) {
    const bytes = new Uint8Array(entry.size)
    new ZipMember(file, entry, {}, true).read(0, bytes)
    expect(bytes).toEqual(FILES[i]!.bytes)
  }
  file.close()
})

it('the same files give the same bytes', () => {
  expect(zipArchive(FILES, 7)).toEqual(zipArchive(FILES, 7))
})

it('an archive whose offsets have no room is refused', () => {
  expect(() => zipArchive(FILES, MAX_ZIP_OFFSET - 1000)).toThrow(RangeError)
})
