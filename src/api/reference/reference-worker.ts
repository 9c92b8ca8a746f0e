import { parentPort, workerData } from 'node:worker_threads'
import { failureOf, type Failure } from '../../base/error-transfer.js'
import type { AlbertModel } from '../../model/albert.js'
import type { Tensor } from '../../model/reference/reference.js'
import { RemoteSource, type Remote } from './remote-source.js'
import { Threads } from './threads.js'
import { perform, type Result, type Work } from './work.js'

/** Thread that does one piece of work of the reference and ends (`compute.ts`). */

export interface ReferenceTask {
  readonly work: Work
  readonly model: AlbertModel
  readonly remote: Remote
  /** Number of threads, this one included. */
  readonly threads: number
}

/** Null after each layer. */
export type ReferenceAnswer = { readonly result: Result } | { readonly failure: Failure } | null

const say = (answer: ReferenceAnswer, transferList: readonly ArrayBuffer[] = []): void =>
  parentPort?.postMessage(answer, transferList)

/** Memory of the values in `result`, which passes to the other thread instead of being copied. */
function memoryOf(result: Result): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>()
  if (Array.isArray(result))
    for (const values of result)
      if (values instanceof Map)
        for (const { data } of (values as ReadonlyMap<string, Tensor>).values())
          if (data.buffer instanceof ArrayBuffer) buffers.add(data.buffer)
  return [...buffers]
}

if (parentPort !== null) {
  const { work, model, remote, threads } = workerData as ReferenceTask
  const onLayer = (): void => {
    say(null)
  }
  try {
    const computing = { processors: new Threads(threads), onLayer }
    const result = perform(work, { model, source: new RemoteSource(remote) }, computing)
    say({ result }, memoryOf(result))
  } catch (error) {
    say({ failure: failureOf(error) })
  }
}
