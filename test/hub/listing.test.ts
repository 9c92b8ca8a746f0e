import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { isInside, keepListing, readListing, type ListedFile } from '../../src/hub/listing.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-listing-'))
const file = join(folder, 'inner', 'list.json')
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const RIGHT: ListedFile = { name: 'a/b.bin', url: 'https://host/b', size: 3, tag: null, blob: 'a'.repeat(40) }

describe('a list of files that is kept', () => {
  it('is read as it was written', () => {
    const listing = { origin: { repo: 'org/name' }, files: [RIGHT, { ...RIGHT, name: 'c', tag: '"x"', blob: null }] }
    keepListing(file, listing)
    expect(readListing(file)).toEqual(listing)
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  it.each([
    ['leaves its folder', { name: '../x' }],
    ['is absolute', { name: '/etc/passwd' }],
    ['has no address', { url: 'x' }],
    ['has no size', { size: -1 }],
    ['has a blob elsewhere', { blob: '../../../home' }],
  ])('is not used if a file %s', (_, wrong) => {
    keepListing(file, { origin: {}, files: [{ ...RIGHT, ...wrong }] })
    expect(readListing(file)).toBeNull()
  })

  it('is not used if it is something else, and nothing fails if it cannot be kept', () => {
    for (const text of ['', '[]', 'null', '{"files":3}']) {
      writeFileSync(file, text)
      expect(readListing(file)).toBeNull()
    }
    keepListing(join(file, 'below-a-file'), { origin: {}, files: [] })
    expect(readListing(join(folder, 'absent'))).toBeNull()
  })

  it('knows names that stay in their folder', () => {
    expect(['a', 'a/b', '.gitattributes', 'ä b'].filter((name) => !isInside(name))).toEqual([])
    expect(['', '..', 'a/../b', '/a', 'a//b', 'a\\b', 'C:x', 'a\0'].filter(isInside)).toEqual([])
  })
})
