import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ROOT, run, userEnv } from './helpers/run.js'
import { ZH_NEWS } from './helpers/shared.js'

const BIN = join(ROOT, 'bin/run.js')

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
