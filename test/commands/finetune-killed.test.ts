import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, expect, it } from 'vitest'
import { STATE_FILE } from '../../src/api/finetune/state.js'
import { temporary } from '../helpers/faults.js'
import { albertkit, BIN, userEnv } from '../helpers/run.js'
import { ZH_NEWS } from '../helpers/shared.js'

// A run that ends by SIGKILL or a power cut saves nothing at its end: `--resume` goes on from the last snapshot.

const place = temporary()
const { at } = place
afterAll(() => {
  place.remove()
})

const news = (name: string): string => join(ZH_NEWS, name)
const RUN = [
  ...['finetune', ZH_NEWS, '--train', news('train.tsv'), '--dev', news('dev.tsv'), '--new-head', '--steps', '30'],
  ...['--learning-rate', '5e-4', '--dropout', '0.1', '--eval-every', '7', '--max-seq-length', '64'],
]

const contents = (directory: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(directory).map((name) => [name, readFileSync(join(directory, name)).toString('base64')]),
  )

/** Kills a run as soon as it has saved its state. @returns the number of steps that it had finished by then, about */
async function killAfterSnapshot(output: string, ...more: string[]): Promise<number> {
  const state = join(output, STATE_FILE)
  const before = existsSync(state) ? readFileSync(state) : null
  const child = spawn(process.execPath, [BIN, ...RUN, ...more, '--save-every', '1', '-o', output], {
    env: userEnv(),
    stdio: 'ignore',
  })
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  while (child.exitCode === null && (!existsSync(state) || before?.equals(readFileSync(state)) === true)) await wait(10)
  child.kill('SIGKILL')
  expect(await closed).toEqual([null, 'SIGKILL'])
  expect(existsSync(state)).toBe(true)
  expect(existsSync(join(output, 'training.json'))).toBe(false)
  return Number(/"step":(\d+)/.exec(readFileSync(state, 'latin1'))?.[1])
}

it('continues a killed run from its snapshot, to the same bytes', async () => {
  const whole = await albertkit([...RUN, '-o', at('whole')])
  expect(whole.code, whole.stderr).toBe(0)
  const output = at('killed')
  const first = await killAfterSnapshot(output)
  const second = await killAfterSnapshot(output, '--resume')
  expect(first).toBeGreaterThan(0)
  expect(second).toBeGreaterThan(first)
  expect(second).toBeLessThan(30)
  // Without --resume nothing of it is taken away.
  const again = await albertkit([...RUN, '-o', output, '--json'])
  expect([again.code, existsSync(join(output, STATE_FILE))]).toEqual([5, true])
  const resumed = await albertkit([...RUN, '--resume', '-o', output])
  expect(resumed.code, resumed.stderr).toBe(0)
  expect(contents(output)).toEqual(contents(at('whole')))
}, 180_000)

it('has nothing to continue in a directory without a run', async () => {
  mkdirSync(at('empty'))
  const { code, stdout } = await albertkit([...RUN, '--resume', '-o', at('empty'), '--json'])
  expect([code, JSON.parse(stdout)]).toMatchObject([2, { error: { code: 'file-missing' } }])
}, 60_000)
