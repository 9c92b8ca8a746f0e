import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ROOT, run, userEnv } from './helpers/run.js'
import { ZH_NEWS } from './helpers/shared.js'

const BIN = join(ROOT, 'bin/run.js')

describe.skipIf(process.platform !== 'linux' || process.getuid?.() !== 0)(
  'a user whom the system does not know',
  () => {
    it.each([{}, { HOME: '/tmp' }, { SHELL: '/bin/bash' }])('with %j in the environment', async (env) => {
      // As `docker run --user 12345` starts a program, which may read everything, wherever the project lies.
      const reads = ['--inh-caps', '+dac_read_search', '--ambient-caps', '+dac_read_search']
      const user = ['--reuid', '12345', '--regid', '12345', '--clear-groups', ...reads, process.execPath]
      const options = { env: { PATH: process.env.PATH, ...env } }
      const { code, stdout, stderr } = await run('setpriv', [...user, BIN, 'inspect', 'fixtures/zh-news'], options)
      expect([code, stdout], stderr).toEqual([0, expect.stringContaining('brightmart albert_zh')])
    })
  },
)

describe.skipIf(!existsSync('/dev/full'))('a disk that is full under standard output', () => {
  it.each([[[]], [['--json']]])('is an error of the output: %j', async (flags) => {
    const command = 'node="$1"; shift; exec "$node" "$@" > /dev/full'
    const args = ['-c', command, 'sh', process.execPath, BIN, 'inspect', ZH_NEWS, ...flags]
    const { code, stderr } = await run('sh', args, { cwd: ROOT, env: userEnv() })
    expect(code).toBe(5)
    expect(stderr).toMatch(/^error: standard output could not be written: no space left on the device\n/m)
  })
})

it("the message of a flag's parser is printed alone", async () => {
  const { code, stderr } = await run(process.execPath, [BIN, 'verify', ZH_NEWS, '--atol', '-1'], {
    cwd: ROOT,
    env: userEnv(),
  })
  expect(code).toBe(2)
  expect(stderr).toMatch(/^error: --atol takes a number of at least 0, not -1$/m)
})
