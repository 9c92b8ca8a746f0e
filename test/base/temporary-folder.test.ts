import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { AlbertkitError } from '../../src/base/errors.js'
import { runCleanups } from '../../src/base/interrupt.js'
import { removeAbandoned, temporaryFolder, temporaryIn } from '../../src/base/temporary-folder.js'

const { TMPDIR } = process.env
afterEach(() => {
  if (TMPDIR === undefined) delete process.env.TMPDIR
  else process.env.TMPDIR = TMPDIR
})

it('cannot be read by other users, and is removed', () => {
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

it('if it cannot be created, the error names the place and gives advice', () => {
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

it('what a process left that is gone is removed, and what others are at stays', () => {
  const folder = mkdtempSync(join(tmpdir(), 'albertkit-abandoned-'))
  const { pid } = spawnSync(process.execPath, ['--version'])
  const mine = basename(temporaryIn(folder))
  const [gone, elsewhere, other] = [
    mine.replace(`-${process.pid}-`, `-${pid}-`),
    mine.replace(`-${process.pid}-`, `-${pid}-`).replace(/^\.albertkit-[0-9a-f]{8}/, '.albertkit-00000000'),
    '.albertkit-notes',
  ]
  // Earlier versions kept there what a conversion was replacing: it may be the only copy.
  for (const name of [mine, gone, `${gone}.old`, elsewhere, other]) mkdirSync(join(folder, name))
  removeAbandoned(folder)
  expect(readdirSync(folder).sort()).toEqual([mine, `${gone}.old`, elsewhere, other].sort())
  rmSync(folder, { recursive: true })
})
