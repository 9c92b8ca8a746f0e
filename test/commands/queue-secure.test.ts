import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect } from '../../src/sharding/queue/redis.js'
import { makeCertificates } from '../helpers/certificates.js'
import { temporary } from '../helpers/faults.js'
import { NO_REDIS, REDIS, RedisServer } from '../helpers/redis.js'
import { albertkit, userEnv } from '../helpers/run.js'
import { tinyLines, writeTinyClassifier } from '../helpers/tiny-files.js'

// Redis with a password and TLS, and jobs that somebody else has put into it.

const place = temporary()
const { at } = place
afterAll(() => {
  place.remove()
})

describe.skipIf(!REDIS)(`a queue over Redis${REDIS ? '' : ` (${NO_REDIS})`}`, () => {
  beforeAll(async () => {
    mkdirSync(at('work'))
    await writeTinyClassifier(at('work/model'))
    writeFileSync(at('work/lines.tsv'), tinyLines(600).join(''))
    writeFileSync(at('secret.txt'), tinyLines(4).join(''))
  }, 60_000)

  const submit = (where: readonly string[], output: string, ...more: string[]) =>
    albertkit([
      'queue',
      'submit',
      'predict',
      at('work/model'),
      at('work/lines.tsv'),
      '--shards',
      '2',
      '-o',
      at(output),
      ...more,
      ...where,
    ])
  const work = (where: readonly string[], ...more: string[]) =>
    albertkit(['queue', 'work', '--until-empty', '--lock', '5', '--json', '--root', at('work'), ...more, ...where])

  it('with a password, TLS and certificates of clients', async () => {
    makeCertificates(at)
    const redis = await RedisServer.start((port) => ({
      port: 0,
      'tls-port': port,
      'tls-cert-file': at('server.pem'),
      'tls-key-file': at('server.key'),
      'tls-ca-cert-file': at('ca.pem'),
      requirepass: 'a secret',
    }))
    try {
      const url = `rediss://:a%20secret@127.0.0.1:${redis.port}`
      const own = ['--redis-ca', at('ca.pem'), '--redis-cert', at('client.pem'), '--redis-key', at('client.key')]
      const where = ['--redis', url, ...own]
      const submitted = await submit(where, 'work/secure.jsonl')
      expect([submitted.code, submitted.stderr]).toEqual([0, ''])
      const worked = await work(where)
      expect(JSON.parse(worked.stdout)).toMatchObject({ done: 3, failed: 0 })
      expect(readFileSync(at('work/secure.jsonl'), 'utf8').split('\n')).toHaveLength(601)
      // By the environment too, which other users of the machine do not see.
      const [ca, cert, key] = [at('ca.pem'), at('client.pem'), at('client.key')]
      const variables = {
        ALBERTKIT_REDIS: url,
        ALBERTKIT_REDIS_CA: ca,
        ALBERTKIT_REDIS_CERT: cert,
        ALBERTKIT_REDIS_KEY: key,
      }
      expect((await albertkit(['queue', 'status'], { env: userEnv(variables) })).code).toBe(0)

      const refused: [string, string[], RegExp][] = [
        ['no authority', ['--redis', url], /certificate/],
        ['no certificate', ['--redis', url, '--redis-ca', at('ca.pem')], /no Redis answers|refused/],
        ['another password', ['--redis', url.replace('secret', 'guess'), ...own], /refused the password/],
        ['no password', ['--redis', `rediss://127.0.0.1:${redis.port}`, ...own], /refused the password/],
        ['no TLS', ['--redis', `redis://:a%20secret@127.0.0.1:${redis.port}`], /no Redis answers/],
      ]
      for (const [name, flags, message] of refused) {
        const { code, stderr } = await albertkit(['queue', 'status', ...flags])
        expect([name, code], stderr).toEqual([name, 6])
        expect(stderr, name).toMatch(message)
        expect(stderr, name).not.toContain('secret')
      }
      const plain = await albertkit(['queue', 'status', '--redis', 'redis://127.0.0.1', '--redis-ca', at('ca.pem')])
      expect([plain.code, plain.stderr]).toEqual([2, expect.stringContaining('rediss://')])
    } finally {
      await redis.stop()
    }
  }, 120_000)

  it('whose jobs are hostile: they fail, nothing is harmed, and the worker goes on', async () => {
    const redis = await RedisServer.start()
    const where = ['--redis', redis.url]
    try {
      // What an honest submission looks like, for others to be made of.
      expect((await submit(where, 'work/pattern.jsonl')).code).toBe(0)
      const opened = await connect(redis.url)
      const { bullmq, redis: connection } = opened
      const queue = new bullmq.Queue('albertkit', { connection })
      const [honest = {}] = (await queue.getJobs(['wait'])).map(({ data }) => data as Record<string, object>)
      const [merge = {}] = (await queue.getJobs(['waiting-children'])).map(({ data }) => data as Record<string, object>)
      await queue.obliterate({ force: true })
      writeFileSync(at('work/mine.txt'), 'mine')
      writeFileSync(at('outside.txt'), 'outside')
      symlinkSync(at('secret.txt'), at('work/secret.tsv'))
      symlinkSync(at('.'), at('work/up'))
      const places = (over: object): object => ({ ...honest, places: { ...honest.places, ...over } })
      const options = (over: object): object => {
        const task = honest.task as { readonly options: object }
        return { ...honest, task: { ...task, options: { ...task.options, ...over } } }
      }
      const merging = (output: string, more = {}): object => ({ ...merge, output, force: true, ...more })
      const jobs: unknown[] = [
        ...[null, 7, 'text', [], {}, { kind: 'shard' }, { kind: 'eval', code: 'process.exit()' }],
        ...[
          places({ input: at('secret.txt') }),
          places({ input: at('work/secret.tsv') }),
          places({ input: '/dev/zero' }),
        ],
        ...[places({ model: '/' }), places({ model: at('outside.txt') }), places({ vocabulary: '/etc/passwd' })],
        ...[places({ directory: at('elsewhere') }), places({ directory: at('work/up/elsewhere') })],
        ...[options({ labels: '/etc/passwd' }), options({ config: '/etc/passwd' }), options({ threads: 1e9 })],
        ...[options({ batch: 1e308 }), options({ format: '../../x' }), options({ maxSeqLength: -1 })],
        ...[merging(at('outside.txt')), merging(at('work/mine.txt')), merging(at('work/model/vocab.txt'))],
        merging(at('work/mine.txt'), { places: { ...merge.places, directory: '/' } }),
      ]
      for (const data of jobs) await queue.add('shard', data, { attempts: 1000, backoff: 0 })
      await queue.close()
      await opened.close()
      expect((await submit(where, 'work/honest.jsonl')).code).toBe(0)
      const worked = await work(where)
      expect(worked.code, worked.stderr).toBe(0)
      expect(JSON.parse(worked.stdout)).toMatchObject({ done: 3 })
      expect(readFileSync(at('work/honest.jsonl'), 'utf8').split('\n')).toHaveLength(601)
      expect(readFileSync(at('work/mine.txt'), 'utf8')).toBe('mine')
      expect(readFileSync(at('outside.txt'), 'utf8')).toBe('outside')
      expect(readFileSync(at('work/model/vocab.txt'), 'utf8')).toContain('[PAD]')
      expect(worked.stderr).not.toContain('root:')
      expect(spawnSync('ls', [join(at('.'), 'elsewhere')]).status).not.toBe(0)
    } finally {
      rmSync(at('work/up'), { force: true })
      await redis.stop()
    }
  }, 120_000)
})
