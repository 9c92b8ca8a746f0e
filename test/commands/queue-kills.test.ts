import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { temporary } from '../helpers/faults.js'
import { NO_REDIS, REDIS, RedisServer } from '../helpers/redis.js'
import { albertkit, BIN, userEnv } from '../helpers/run.js'
import { tinyLines, writeTinyClassifier } from '../helpers/tiny-files.js'

// Workers are killed at random, and Redis once: no line is lost, none comes twice. QUEUE_RUNS=50 for the whole proof.

const RUNS = Number(process.env.QUEUE_RUNS ?? 2)
const SEED = Number(process.env.QUEUE_SEED ?? 1)
const WORKERS = 3

const place = temporary()
const { at } = place
afterAll(() => {
  place.remove()
})

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

describe.skipIf(!REDIS)(`a queue whose workers are killed${REDIS ? '' : ` (${NO_REDIS})`}`, () => {
  let expected: Buffer
  beforeAll(async () => {
    await writeTinyClassifier(at('model'))
    const lines = tinyLines(256 * 40)
    // Lines that cannot be used are kept, too.
    for (let i = 100; i < lines.length; i += 1000) lines[i] = '\n'
    writeFileSync(at('lines.tsv'), lines.join(''))
    const whole = ['predict', at('model'), at('lines.tsv'), '-o', at('whole.jsonl'), '--errors', at('whole.bad')]
    expect((await albertkit(whole)).code).toBe(0)
    expected = readFileSync(at('whole.jsonl'))
  }, 60_000)

  it.each(Array.from({ length: RUNS }, (_, i) => SEED + i))(
    'run %i',
    async (seed) => {
      const next = random(seed)
      const redis = await RedisServer.start()
      const where = ['--redis', redis.url]
      const output = at(`out-${seed}.jsonl`)
      const workers: (ChildProcess | null)[] = []
      let kills = 0
      const start = (): ChildProcess => {
        const args = [
          BIN,
          'queue',
          'work',
          '--until-empty',
          '--threads',
          '1',
          '--lock',
          '2',
          '--root',
          at('.'),
          ...where,
        ]
        return spawn(process.execPath, args, { stdio: 'ignore', env: userEnv() })
      }
      try {
        const submitted = ['queue', 'submit', 'predict', at('model'), at('lines.tsv'), '--shards', '40', '-o', output]
        expect((await albertkit([...submitted, ...where])).code).toBe(0)
        for (let i = 0; i < WORKERS; i++) workers.push(start())
        const restart = pause(1500 + 2500 * next())
          .then(() => redis.kill())
          .then(() => pause(500 * next()))
          .then(() => redis.run())
        for (let k = 0; k < 6; k++) {
          await pause(200 + 1200 * next())
          const victim = Math.floor(next() * WORKERS)
          if (workers[victim]?.exitCode === null && workers[victim].kill('SIGKILL')) kills++
          workers[victim] = start()
        }
        await restart
        for (const worker of workers)
          if (worker?.exitCode === null) await new Promise((resolve) => worker.once('close', resolve))
        // The last may have ended while a job of a killed one was still locked.
        if (!existsSync(output)) await albertkit(['queue', 'work', '--until-empty', '--lock', '2', ...where])
        expect(kills).toBeGreaterThan(0)
        expect(readFileSync(output).equals(expected), `seed ${seed}`).toBe(true)
        expect(readFileSync(`${output}.errors.jsonl`, 'utf8')).toBe(readFileSync(at('whole.bad'), 'utf8'))
        const status = await albertkit(['queue', 'status', '--json', ...where])
        expect(JSON.parse(status.stdout)).toMatchObject({ flows: [{ state: 'completed', shards: 40, done: 40 }] })
        const shards = readdirSync(`${output}.shards`).filter((name) => /\d\.json$/.test(name))
        expect(shards).toHaveLength(40)
      } finally {
        for (const worker of workers) worker?.kill('SIGKILL')
        await redis.stop()
      }
    },
    120_000,
  )
})
