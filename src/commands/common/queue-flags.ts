import * as Flags from '@oclif/core/flags'
import { DEFAULT_QUEUE, DEFAULT_REDIS } from '../../sharding/queue/redis.js'

export const queueFlags = {
  redis: Flags.string({
    description: 'address of the Redis server',
    default: DEFAULT_REDIS,
    env: 'ALBERTKIT_REDIS',
    helpValue: 'URL',
  }),
  queue: Flags.string({ description: 'name of the queue', default: DEFAULT_QUEUE, helpValue: 'NAME' }),
}
