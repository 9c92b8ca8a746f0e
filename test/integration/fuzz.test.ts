import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ROOT, run } from '../helpers/run.js'

/** The fuzzer itself; CI runs it on every reader. */
const fuzz = (...args: readonly string[]) => run(process.execPath, [join(ROOT, 'scripts/fuzz.js'), ...args])

it('damages files of a reader, and finds nothing wrong', async () => {
  const { code, stdout } = await fuzz('--reader', 'safetensors', '--reader', 'jsonl', '--seconds', '2')
  expect([code, stdout]).toEqual([0, expect.stringContaining('0 findings')])
  const [, all, refused] = /safetensors\s+(\d+) mutants, \d+ read, (\d+) refused/.exec(stdout) ?? []
  expect(Number(all)).toBeGreaterThan(10)
  expect(Number(refused)).toBeGreaterThan(Number(all) / 2)
})

it('lists the readers if one is unknown', async () => {
  expect((await fuzz('--reader', 'gguf')).code).toBe(2)
})
