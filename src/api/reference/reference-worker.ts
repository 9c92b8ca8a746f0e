import { parentPort, workerData } from 'node:worker_threads'
import { failureOf, type Failure } from '../../base/error-transfer.js'
import type { AlbertModel } from '../../model/albert.js'
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

const say = (answer: ReferenceAnswer): void => parentPort?.postMessage(answer)

if (parentPort !== null) {
  const { work, model, remote, threads } = workerData as ReferenceTask
  const onLayer = (): void => {
    say(null)
  }
  try {
    const computing = { processors: new Threads(threads), onLayer }
    say({ result: perform(work, { model, source: new RemoteSource(remote) }, computing) })
  } catch (error) {
    say({ failure: failureOf(error) })
  }
}
