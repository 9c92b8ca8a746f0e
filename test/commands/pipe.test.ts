import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const BIN = fileURLToPath(new URL('../../bin/run.js', import.meta.url))

it.skipIf(process.platform === 'win32')(
  'a named pipe is no model, and nobody waits for its other end',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'albertkit-pipe-'))
    try {
      const pipe = join(folder, 'pipe')
      execFileSync('mkfifo', [pipe])
      // What waits for a pipe to open is ended by no other signal.
      const options = { encoding: 'utf8', timeout: 20_000, killSignal: 'SIGKILL' } as const
      const { status, stderr } = spawnSync(process.execPath, [BIN, 'inspect', pipe], options)
      expect(stderr).toContain('not a regular file')
      expect(status).toBe(3)
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
  30_000,
)
