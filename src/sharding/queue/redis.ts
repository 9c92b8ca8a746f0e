import { readFileSync } from 'node:fs'
import type { Redis } from 'ioredis'
import { environment, unreadable, usage } from '../../base/errors.js'
import { importOptional } from '../../base/optional-package.js'
import type { RedisAddress, RedisTls } from './address.js'

type Bullmq = typeof import('bullmq')

/** Time in which a server must give its first answer; connections lost later are retried without limit. */
const FIRST_ANSWER_MS = 5000
/** Time for which an unreachable server is retried: it may be about to start. */
const ABSENT_MS = 1500
/** Error messages of an address that does not exist, at which no server listens, or none that is trusted. */
const ABSENT = /ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|ENOENT|certificate|SSL routines|TLS/

/** Reads the files of a connection by TLS. @throws AlbertkitError `usage` if there are some for a plain connection */
function tlsOf(url: string, { ca, cert, key }: RedisTls): { readonly tls?: Readonly<Record<string, Uint8Array>> } {
  const files = Object.entries({ ca, cert, key }).filter((entry): entry is [string, string] => entry[1] !== undefined)
  if (files.length === 0) return {}
  if (!url.startsWith('rediss:'))
    throw usage('certificates are for connections by TLS', {
      code: 'option-conflict',
      hint: 'the address then begins with rediss://',
    })
  const read = (file: string): Uint8Array => {
    try {
      return readFileSync(file)
    } catch (error) {
      throw unreadable('the certificate', file, error)
    }
  }
  return { tls: Object.fromEntries(files.map(([name, file]) => [name, read(file)])) }
}

/** Connection to Redis, with the BullMQ module that uses it. */
export interface QueueConnection {
  readonly bullmq: Bullmq
  readonly redis: Redis
  close(): Promise<void>
}

async function load(): Promise<{ bullmq: Bullmq; Redis: typeof Redis }> {
  const both = ['bullmq', 'ioredis']
  const [bullmq, ioredis] = await Promise.all([
    importOptional('bullmq', () => import('bullmq'), 'a queue', both),
    importOptional('ioredis', () => import('ioredis'), 'a queue', both),
  ])
  return { bullmq, Redis: ioredis.Redis }
}

/** Address without user, password and query, for messages; also of an invalid address. */
export const redact = (url: string): string =>
  url.replace(/\?[^]*$/, '').replace(/^([a-z]*:\/\/)?[^]*@/i, (_, scheme: string | undefined) => `${scheme ?? ''}***@`)

/** Waits for the server's first answer. @throws AlbertkitError `environment` if there is none in time */
async function firstAnswer(redis: Redis, url: string): Promise<void> {
  const errors: Error[] = []
  redis.on('error', (error: Error) => {
    errors.splice(0, errors.length, error)
  })
  const timers: NodeJS.Timeout[] = []
  const late = new Promise<never>((_, reject) => {
    const giveUp = (): void => {
      reject(errors[0] ?? new Error('no answer'))
    }
    const ifAbsent = (): void => {
      if (ABSENT.test(errors[0]?.message ?? '')) giveUp()
    }
    timers.push(setTimeout(ifAbsent, ABSENT_MS), setTimeout(giveUp, FIRST_ANSWER_MS))
  })
  try {
    await Promise.race([redis.ping(), late])
    // ioredis continues in database 0 if the requested database does not exist.
    const refused = errors.find(({ message }) => /DB index|invalid DB/i.test(message))
    if (refused !== undefined) throw refused
  } catch (error) {
    redis.disconnect()
    const { message } = error as Error
    if (/^(NOAUTH|WRONGPASS|ERR AUTH)/.test(message))
      throw environment(`Redis at ${redact(url)} refused the password`, {
        code: 'permission-denied',
        hint: 'redis://:PASSWORD@HOST:PORT',
        cause: error,
      })
    throw environment(`no Redis answers at ${redact(url)}: ${message}`, {
      code: 'service-unavailable',
      hint: 'start one (redis-server), or name another with `redis`',
      cause: error,
    })
  } finally {
    timers.forEach(clearTimeout)
  }
}

/**
 * Connects to Redis. A connection lost later is retried without limit: a restart of the server must not fail the jobs.
 * @throws AlbertkitError `environment` if a package or the server is absent, `usage` if the address is invalid
 */
export async function connect(address: RedisAddress): Promise<QueueConnection> {
  const { url, ...tls } = typeof address === 'string' ? { url: address } : address
  const { bullmq, Redis } = await load()
  if (!/^(rediss?|unix):/.test(url))
    throw usage(`${redact(url)} is not the address of a Redis server`, {
      code: 'option-invalid',
      hint: 'such as redis://127.0.0.1:6379',
    })
  // BullMQ requires null: its blocking calls must outlive a lost connection.
  const redis = new Redis(url, {
    maxRetriesPerRequest: null,
    retryStrategy: (times) => Math.min(times * 200, 2000),
    ...tlsOf(url, tls),
  })
  await firstAnswer(redis, url)
  return {
    bullmq,
    redis,
    close: async () => {
      await redis.quit().catch(() => {
        redis.disconnect()
      })
    },
  }
}
