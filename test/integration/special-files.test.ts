import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openModel } from '../../src/api/open/open.js'
import { ZH_NEWS } from '../helpers/shared.js'

/** Opening a pipe without a writer blocks forever, and no signal ends it: it must not be opened. */

const folder = mkdtempSync(join(tmpdir(), 'albertkit-special-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** A copy of the model in which `name` is a pipe. */
function withPipe(name: string, at: string): string {
  const directory = join(folder, at)
  cpSync(ZH_NEWS, directory, { recursive: true })
  rmSync(join(directory, name), { force: true })
  execFileSync('mkfifo', [join(directory, name)])
  return directory
}

describe.skipIf(process.platform === 'win32')('what is no file', () => {
  it.each(['model.bin', 'model.safetensors', 'model.h5', 'model.pb', 'model.npz', 'model.zip', 'model.json', 'x'])(
    'a pipe called %s',
    async (name) => {
      const pipe = join(folder, name)
      execFileSync('mkfifo', [pipe])
      await expect(openModel(pipe)).rejects.toMatchObject({ kind: 'malformed', message: 'not a regular file' })
    },
  )

  it('a device', async () => {
    await expect(openModel('/dev/zero')).rejects.toMatchObject({ kind: 'malformed', message: 'not a regular file' })
  })

  it.each(['albert_config.json', 'model.ckpt.index', 'model.ckpt.data-00000-of-00001', 'checkpoint'])(
    'a pipe in the place of %s',
    async (name) => {
      await expect(openModel(withPipe(name, `of ${name}`))).rejects.toMatchObject({
        place: { file: expect.any(String) as string },
      })
    },
  )
})
