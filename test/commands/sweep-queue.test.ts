import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Roots } from '../../src/api/sharded/roots.js'
import { runTrialJob } from '../../src/api/sharded/run-trial-job.js'
import { planSweep } from '../../src/api/sweep/sweep.js'
import type { ShardJob } from '../../src/sharding/queue/jobs.js'
import { temporary } from '../helpers/faults.js'
import { NO_REDIS, REDIS, RedisServer } from '../helpers/redis.js'
import { albertkit } from '../helpers/run.js'
import { tinyLines, writeTinyClassifier } from '../helpers/tiny-files.js'

const place = temporary()
const { at } = place
afterAll(() => {
  place.remove()
})
const train = at('work/train.tsv')
const dev = at('work/dev.tsv')
const grid = at('work/grid.json')
beforeAll(async () => {
  mkdirSync(at('work'))
  await writeTinyClassifier(at('work/model'))
  writeFileSync(train, tinyLines(40).join(''))
  writeFileSync(dev, tinyLines(60).slice(40).join(''))
  writeFileSync(grid, '{"learning_rate": [1e-3, 3e-3], "batch_size": [8]}')
}, 60_000)

const finetune = (...more: string[]) =>
  albertkit([
    ...['finetune', at('work/model'), '--train', train, '--dev', dev, '--steps', '4', '--max-seq-length', '12'],
    ...['--sweep', grid, '--json', ...more],
  ])
const hash = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')

describe.skipIf(!REDIS)(`a sweep over Redis${REDIS ? '' : ` (${NO_REDIS})`}`, () => {
  it('gives what the same sweep gives in one process', async () => {
    const redis = await RedisServer.start()
    try {
      const where = ['--redis', redis.url]
      const submitted = await finetune('--submit', '-o', at('work/ranking.json'), ...where)
      expect([submitted.code, submitted.stderr]).toEqual([0, ''])
      expect(JSON.parse(submitted.stdout)).toMatchObject({ shards: 2, lines: 2, existed: false })
      const worked = await albertkit(['queue', 'work', '--until-empty', '--json', '--root', at('work'), ...where])
      expect(JSON.parse(worked.stdout), worked.stderr).toMatchObject({ done: 3, failed: 0 })
      const whole = await finetune('-o', at('work/whole'))
      expect([whole.code, readFileSync(at('work/ranking.json'), 'utf8')]).toEqual([0, whole.stdout])
      for (const name of ['trial-00001-of-00002', 'trial-00002-of-00002']) {
        const weights = join(name, 'model.ckpt.data-00000-of-00001')
        expect(hash(at(`work/ranking.json.shards/${weights}`))).toBe(hash(at(`work/whole/${weights}`)))
      }
    } finally {
      await redis.stop()
    }
  }, 120_000)
})

describe('the job of a trial', () => {
  const job = async (places: object = {}, options: object = {}): Promise<ShardJob> => {
    const { task, shards } = await planSweep(at('work/model'), { train, dev }, { steps: 2, maxSeqLength: 12 }, grid)
    return {
      kind: 'shard',
      task: { ...task, options: { ...task.options, ...options } },
      shard: shards[0]!,
      places: { model: at('work/model'), input: grid, train, dev, directory: at('work/out'), ...places },
    }
  }
  const roots = (): Roots => new Roots([at('work')])

  it.each<[string, object, object, string]>([
    ['data elsewhere', { train: '/etc/passwd' }, {}, 'path-escapes'],
    ['an output elsewhere', { directory: '/tmp/elsewhere' }, {}, 'path-escapes'],
    ['a vocabulary elsewhere', { vocabulary: '/etc/passwd' }, {}, 'path-escapes'],
    ['no data', { dev: undefined }, {}, 'record-invalid'],
    ['an option of the output', {}, { force: true }, 'record-invalid'],
    ['another folder for events', {}, { tensorboard: '/tmp/elsewhere' }, 'record-invalid'],
    ['an impossible setting', {}, { batchSize: 1e308 }, 'record-invalid'],
    ['other settings than were submitted', {}, { steps: 3, data: [] }, 'shard-mismatch'],
  ])('is refused with %s', async (_, places, options, code) => {
    await expect(runTrialJob(await job(places, options), roots())).rejects.toMatchObject({ kind: 'malformed', code })
  })

  it('is refused if the grid has changed since it was submitted', async () => {
    const submitted = await job()
    writeFileSync(grid, '{"learning_rate": [1e-3, 4e-3], "batch_size": [8]}')
    await expect(runTrialJob(submitted, roots())).rejects.toMatchObject({ code: 'shard-mismatch' })
  })
})
