import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
// The built module: only JavaScript can be a thread.
import { Hasher } from '../../dist/export/hash.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-hash-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

it.each([
  ['small files, in this thread', 1000, 3],
  ['large files, on both threads', 12 * 1024 * 1024, 6],
])('%s', async (_, size, count) => {
  const expected = new Map<string, string>()
  const hasher = new Hasher()
  for (let i = 0; i < count; i++) {
    const path = join(folder, `${size}-${i}`)
    const bytes = Buffer.alloc(size, i + 1)
    writeFileSync(path, bytes)
    expected.set(path, createHash('sha256').update(bytes).digest('hex'))
    hasher.add(path)
  }
  const hashes = await hasher.finish()
  await hasher.close()
  for (const [path, sha256] of expected) expect(hashes.get(path)).toEqual({ sha256, bytes: size })
})

it('a file that vanishes is an error, not a hang', async () => {
  const hasher = new Hasher()
  const path = join(folder, 'vanishes')
  writeFileSync(path, Buffer.alloc(40 * 1024 * 1024))
  hasher.add(path)
  rmSync(path)
  await hasher.finish().then(
    (hashes) => {
      expect(hashes.get(path)?.bytes).toBe(40 * 1024 * 1024)
    },
    (error: unknown) => {
      expect(error).toHaveProperty('name', 'AlbertkitError')
    },
  )
  await hasher.close()
})
