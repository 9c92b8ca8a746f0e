import * as Flags from '@oclif/core/flags'

export const queueFlags = {
  redis: Flags.string({ description: 'address of the Redis server', default: 'redis://127.0.0.1:6379', env: 'ALBERTKIT_REDIS', helpValue: 'URL' }),
  queue: Flags.string({ description: 'name of the queue', default: 'albertkit', helpValue: 'NAME' }),
} // prettier-ignore
