import { existsSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { AlbertkitError } from '../src/errors.js'
import { runCleanups } from '../src/interrupt.js'
import { temporaryFolder } from '../src/temporary.js'

const { TMPDIR } = process.env
afterEach(() => {
  if (TMPDIR === undefined) delete process.env.TMPDIR
  else process.env.TMPDIR = TMPDIR
})

it('is for nobody else to read, and goes', () => {
  const { path, remove } = temporaryFolder()
  expect(statSync(path).mode & 0o777).toBe(0o700)
  remove()
  expect(existsSync(path)).toBe(false)
})

it('goes when the process is interrupted', async () => {
  const { path } = temporaryFolder()
  await runCleanups()
  expect(existsSync(path)).toBe(false)
})

it('where none can be made, the error says where and what to do', () => {
  process.env.TMPDIR = join(tmpdir(), 'albertkit-is-not-there')
  let error: unknown
  try {
    temporaryFolder()
  } catch (e) {
    error = e
  }
  expect(error).toBeInstanceOf(AlbertkitError)
  const { exitCode, place, hint } = error as AlbertkitError
  expect([exitCode, place.file, hint]).toEqual([5, process.env.TMPDIR, expect.stringContaining('TMPDIR')])
})
