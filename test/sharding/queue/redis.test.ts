import { describe, expect, it } from 'vitest'
import { connect, redact } from '../../../src/sharding/queue/redis.js'
import { NO_REDIS, REDIS, RedisServer } from '../../helpers/redis.js'

it.each([
  ['redis://:secret@host:6379/0', 'redis://***@host:6379/0'],
  ['redis://user:secret@host', 'redis://***@host'],
  ['redis://:sec/ret@x@host', 'redis://***@host'],
  ['rediss://host?password=secret', 'rediss://host'],
  ['user:secret@host', '***@host'],
  ['redis://127.0.0.1:6379', 'redis://127.0.0.1:6379'],
])('a password is never shown: %s', (url, shown) => {
  expect(redact(url)).toBe(shown)
})

it('nor if the address is invalid', async () => {
  await expect(connect('http://:secret@host')).rejects.toMatchObject({
    kind: 'usage',
    message: 'http://***@host is not the address of a Redis server',
  })
})

it('a server that is not there is not waited for long', async () => {
  const start = performance.now()
  await expect(connect('redis://127.0.0.1:1')).rejects.toMatchObject({ kind: 'environment' })
  expect(performance.now() - start).toBeLessThan(4500)
})

describe.skipIf(!REDIS)(`a server${REDIS ? '' : ` (${NO_REDIS})`}`, () => {
  it('has the database that is asked for, or there is no connection', async () => {
    const server = await RedisServer.start()
    try {
      await (await connect(`${server.url}/3`)).close()
      await expect(connect(`${server.url}/99`)).rejects.toMatchObject({
        kind: 'environment',
        message: expect.stringContaining('DB index is out of range') as string,
      })
    } finally {
      await server.stop()
    }
  })
})
