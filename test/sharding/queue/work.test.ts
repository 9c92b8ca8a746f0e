import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { malformed } from '../../../src/base/errors.js'
import { indexLines } from '../../../src/sharding/line-index.js'
import { mergeShards, readShards } from '../../../src/sharding/merge.js'
import type { MergeJob, QueueJob } from '../../../src/sharding/queue/jobs.js'
import { connect } from '../../../src/sharding/queue/redis.js'
import { status } from '../../../src/sharding/queue/status.js'
import { submit } from '../../../src/sharding/queue/submit.js'
import { work } from '../../../src/sharding/queue/work.js'
import { runShard } from '../../../src/sharding/run-shard.js'
import { NO_REDIS, REDIS, RedisServer } from '../../helpers/redis.js'

describe.skipIf(!REDIS)(`a queue over Redis${REDIS ? '' : ` (${NO_REDIS})`}`, () => {
  let redis: RedisServer
  let directory: string
  beforeAll(async () => {
    redis = await RedisServer.start()
    directory = mkdtempSync(join(tmpdir(), 'albertkit-queue-'))
  })
  afterAll(async () => {
    await redis.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  const request = async (name: string, options: Record<string, unknown> = {}) => {
    const input = join(directory, 'lines.txt')
    writeFileSync(input, Array.from({ length: 60 }, (_, i) => `line ${i}\n`).join(''))
    const { shards, ...whole } = await indexLines(input, 4, 8)
    const merge: MergeJob = {
      kind: 'merge',
      task: { command: 'predict', options, model: { sha256: whole.sha256 }, input: whole },
      places: { model: '', input, directory: join(directory, name) },
      output: join(directory, `${name}.out`),
    }
    return { merge, shards }
  }

  const run = async (job: QueueJob): Promise<string> => {
    if (job.kind === 'merge') {
      await mergeShards(readShards(job.places.directory), job)
      return 'merged'
    }
    const { shard, task, places } = job
    await runShard(places.directory, task, shard, (output) => {
      output.write(
        readFileSync(places.input)
          .subarray(shard.offset, shard.offset + shard.bytes)
          .toString(),
      )
      return Promise.resolve()
    })
    return `${shard.lines} lines`
  }
  const options = (queue: string) => ({ redis: redis.url, queue, concurrency: 2, untilEmpty: true, lockSeconds: 5 })

  test('shards are run, joined when all are done, and counted', async () => {
    const { merge, shards } = await request('plain')
    const submitted = await submit(merge, shards, { ...options('plain'), attempts: 2 })
    expect(submitted).toMatchObject({ shards: 4, lines: 60, existed: false })
    expect(await submit(merge, shards, { ...options('plain'), attempts: 2 })).toMatchObject({ existed: true })
    expect(await status(redis.url, 'plain')).toMatchObject({
      counts: { wait: 4, 'waiting-children': 1 },
      flows: [{ id: submitted.id, state: 'waiting-children', shards: 4, done: 0, reason: null }],
    })
    const events: string[] = []
    const report = await work(run, { ...options('plain'), onEvent: (line) => events.push(line) })
    expect(report).toEqual({ queue: 'plain', done: 5, failed: 0 })
    expect(events).toContain(`${submitted.id} done: merged`)
    expect(readFileSync(merge.output, 'utf8')).toBe(readFileSync(merge.places.input, 'utf8'))
    expect(await status(redis.url, 'plain')).toMatchObject({ flows: [{ state: 'completed', shards: 4, done: 4 }] })
  })

  test('a worker that has ended has no connection left', async () => {
    await work(run, options('idle'))
    const connection = await connect(redis.url)
    try {
      await expect
        .poll(
          async () =>
            String(await connection.redis.client('LIST'))
              .trim()
              .split('\n').length,
        )
        .toBe(1)
    } finally {
      await connection.close()
    }
  })

  test('an error that trying again can mend is tried again, another fails the whole at once and says why', async () => {
    const { merge, shards } = await request('flaky')
    await submit(merge, shards, { ...options('flaky'), attempts: 3 })
    let calls = 0
    const flaky = (job: QueueJob): Promise<string> => {
      if (job.kind === 'shard' && calls++ === 0) throw new Error('a file system that hiccups')
      return run(job)
    }
    expect(await work(flaky, options('flaky'))).toMatchObject({ done: 5, failed: 1 })

    const broken = await request('broken')
    await submit(broken.merge, broken.shards, { ...options('broken'), attempts: 3 })
    const never = (job: QueueJob): Promise<string> => {
      throw malformed(`nothing in ${job.places.input} can be used`, { code: 'text-unusable' })
    }
    expect(await work(never, options('broken'))).toMatchObject({ done: 0 })
    const [flow] = (await status(redis.url, 'broken')).flows
    expect(flow).toMatchObject({ state: 'failed' })
    expect(flow?.reason).toMatch(/fail|can be used/)
    // Asked for again, it is tried again.
    expect(await submit(broken.merge, broken.shards, { ...options('broken'), attempts: 3 })).toMatchObject({
      existed: false,
    })
    expect(await work(run, options('broken'))).toMatchObject({ done: 5 })
  })

  test('without a server there is a clear error', async () => {
    await expect(connect('redis://127.0.0.1:1')).rejects.toMatchObject({
      kind: 'environment',
      message: expect.stringMatching(/no Redis answers at redis:\/\/127.0.0.1:1/) as string,
    })
    await expect(connect('http://127.0.0.1')).rejects.toMatchObject({ kind: 'usage' })
  })
})
