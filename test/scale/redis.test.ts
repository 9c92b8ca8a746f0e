import { expect, it } from 'vitest'
import { connect, redact } from '../../src/scale/queue/redis.js'

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

it('nor where the address is none', async () => {
  await expect(connect('http://:secret@host')).rejects.toMatchObject({
    kind: 'usage',
    message: 'http://***@host is no address of a Redis server',
  })
})
