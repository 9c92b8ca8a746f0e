import { Worker } from 'node:worker_threads'
import { onAbort, type Abortable } from '../../base/abort.js'
import { errorOf } from '../../base/error-transfer.js'
import { environment } from '../../base/errors.js'
import { onWorkerEnd, THREADED } from '../../base/worker.js'
import type { TensorSource } from '../../formats/core/source.js'
import type { Parameter } from '../../model/albert.js'
import { wordRanks, type WordRanks } from '../../model/health/rank.js'
import { serve } from '../reference/remote-source.js'
import type { RanksAnswer, RanksTask } from './ranks-worker.js'

const WORKER = new URL('./ranks-worker.js', import.meta.url)

/** Multiply-adds that take so long that a signal should not wait for them. */
const LONG = 1e8

/**
 * Ranks of word embeddings, as `wordRanks` estimates them: in a thread if that takes long.
 * @throws AlbertkitError of the source; `interrupted` if `signal` is aborted; `environment` if the thread ends early
 */
export function estimateRanks(
  source: TensorSource,
  word: Parameter,
  projection: Parameter | null,
  { signal }: Abortable,
): Promise<WordRanks | null> {
  const [rows = 0, width = 0] = word.shape
  if (!THREADED || (rows + width) * width ** 2 < LONG) return wordRanks(source, word, projection)
  const { remote, close } = serve(source)
  const workerData: RanksTask = { word, projection, remote }
  const worker = new Worker(WORKER, { workerData, transferList: [remote.port] })
  let forget = (): void => undefined
  return new Promise<WordRanks | null>((resolve, reject) => {
    forget = onAbort(signal, reject)
    worker.on('message', (answer: RanksAnswer) => {
      if ('ranks' in answer) resolve(answer.ranks)
      else reject(errorOf(answer.failure))
    })
    onWorkerEnd(worker, (why, cause) => {
      reject(environment(`the thread that estimates ranks ended: ${why}`, { code: 'process-failed', cause }))
    })
  }).finally(() => {
    forget()
    close()
    return worker.terminate()
  })
}
