import { createHash } from 'node:crypto'
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
// The built module: only JavaScript can be a thread.
import { Hasher } from '../../dist/files/hash.js'

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

it('a file that is written meanwhile is hashed behind its writer', async () => {
  const hasher = new Hasher()
  const path = join(folder, 'grows')
  const piece = Buffer.alloc(4 * 1024 * 1024, 7)
  const expected = createHash('sha256')
  const descriptor = openSync(path, 'wx')
  hasher.follow(path, 12 * piece.length)
  for (let i = 0; i < 12; i++) {
    piece[0] = i
    writeSync(descriptor, piece)
    expected.update(piece)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  closeSync(descriptor)
  hasher.add(path)
  const hashes = await hasher.finish()
  await hasher.close()
  expect(hashes.get(path)).toEqual({ sha256: expected.digest('hex'), bytes: 12 * piece.length })
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
