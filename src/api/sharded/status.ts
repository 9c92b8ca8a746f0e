import type { RedisAddress } from '../../sharding/queue/address.js'
import { status, type QueueStatus } from '../../sharding/queue/status.js'

/**
 * State of a queue: number of jobs in each state, and progress of each file, the newest first.
 * @param redis address of the server, e.g. `redis://127.0.0.1:6379`, with the files of certificates if it needs some
 * @throws AlbertkitError `environment` if Redis or its packages are absent
 */
export const queueStatus = (redis: RedisAddress, queue: string): Promise<QueueStatus> => status(redis, queue)
