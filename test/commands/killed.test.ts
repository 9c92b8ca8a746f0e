import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { writeTinyConfig } from '../helpers/tiny-files.js'
import { shown, temporary } from '../helpers/faults.js'
import { albertkit, ROOT, userEnv } from '../helpers/run.js'

// The real thing: a process that ends by SIGKILL in the middle of `convert --force`, and the next command.

const place = temporary()
const { at } = place
afterAll(() => {
  place.remove()
})

/** Converts in a process that kills itself at the n-th call of the disk. */
function killedAt(n: number, folder: string): NodeJS.Signals | null {
  const script = `
    import { system, useWritePort } from '${ROOT}dist/files/write-port.js'
    import { convertModel } from '${ROOT}dist/index.js'
    let calls = 0
    useWritePort(Object.fromEntries(Object.entries(system).map(([name, call]) => [name, (...args) => {
      if (++calls === ${n}) process.kill(process.pid, 'SIGKILL')
      return call(...args)
    }])))
    await convertModel(${JSON.stringify(at('model'))}, ${JSON.stringify(folder)}, { targets: ['onnx', 'tfjs'], verify: false, force: true })
    process.stdout.write(String(calls))`
  const result = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    env: userEnv(),
    encoding: 'utf8',
  })
  if (result.signal === null) calls = Number(result.stdout)
  return result.signal
}
let calls = 0

beforeAll(async () => {
  writeTinyConfig(at('albert_tiny.json'))
  for (const [name, seed] of [
    ['model', '0'],
    ['other', '1'],
  ] as const)
    expect((await albertkit(['init', at('albert_tiny.json'), '--seed', seed, '-o', at(name)])).code).toBe(0)
  const to = ['--to', 'onnx', '--to', 'tfjs', '--no-verify', '-o', at('old')]
  expect((await albertkit(['convert', at('other'), ...to])).code).toBe(0)
}, 60_000)

it('leaves the old or the new version for the next command', async () => {
  cpSync(at('old'), at('new'), { recursive: true })
  expect(killedAt(0, at('new'))).toBeNull()
  expect(calls).toBeGreaterThan(100)
  const [before, after] = [shown(at('old')), shown(at('new'))]
  const seen = new Set<string>()
  // The renames are among the last calls; those before them write data.
  const points = Array.from({ length: 6 }, (_, i) => calls - 2 - 6 * i)
  for (const n of [20, ...points]) {
    rmSync(at('tried'), { recursive: true, force: true })
    cpSync(at('old'), at('tried'), { recursive: true })
    expect(killedAt(n, at('tried')), `call ${n}`).toBe('SIGKILL')
    const half = JSON.stringify(shown(at('tried')))
    const checked = await albertkit(['check', at('tried')])
    expect([checked.code, checked.stderr], `call ${n}`).toEqual([0, ''])
    const now = shown(at('tried'))
    expect([before, after], `call ${n}`).toContainEqual(now)
    if (half !== JSON.stringify(now)) seen.add('finished')
    // The next command that writes there takes away what was left over.
    expect(
      (await albertkit(['convert', at('model'), '--to', 'onnx', '--no-verify', '--force', '-o', at('tried')])).code,
    ).toBe(0)
    expect(readdirSync(at('tried')).filter((name) => name.startsWith('.albertkit'))).toEqual([])
  }
  expect([...seen]).toEqual(['finished'])
  expect(existsSync(join(at('tried'), 'albertkit.json'))).toBe(true)
}, 180_000)
