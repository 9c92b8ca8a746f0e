import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { onAbort, stopIfAborted, type Abortable } from '../../base/abort.js'
import { errorOf } from '../../base/error-transfer.js'
import { environment } from '../../base/errors.js'
import { onWorkerEnd, THREADED } from '../../base/worker.js'
import { yieldToEventLoop } from '../../base/yield.js'
import type { Subject } from '../../model/reference/run.js'
import { serve } from './remote-source.js'
import type { ReferenceAnswer, ReferenceTask } from './reference-worker.js'
import { flopsOf, perform, stepsOf, type Result, type Results, type Work } from './work.js'

const WORKER = new URL('./reference-worker.js', import.meta.url)

/** Floating-point operations that take less time than starting a thread and reading the weights from it. */
const WORTH_A_THREAD = 0.3e9
/** Floating-point operations worth one more thread: starting it and handing it its parts takes a tenth of a second. */
const WORTH_ANOTHER = 10e9
/** Floating-point operations a second of a thread, on a machine of today. */
const RATE = 8e9

const threadsFor = (flops: number): number =>
  Math.max(1, Math.min(availableParallelism(), Math.ceil(flops / WORTH_ANOTHER)))

/** Seconds that the reference is expected to take. */
export const expectedSeconds = (work: Work, { model }: Pick<Subject, 'model'>): number => {
  const flops = flopsOf(work, model)
  return flops / RATE / threadsFor(flops)
}

export interface ComputeOptions extends Abortable {
  /** Called after each layer of each of the inputs. */
  readonly onLayer?: ((done: number, total: number) => void) | undefined
}

/** Starts the thread for `task`; resolves with its result, and rejects if it fails, ends early, or is aborted. */
function inThread(task: Omit<ReferenceTask, 'remote'>, { source }: Subject, options: Required<ComputeOptions>) {
  const { signal, onLayer } = options
  const { remote, close } = serve(source)
  const workerData: ReferenceTask = { ...task, remote }
  const worker = new Worker(WORKER, { workerData, transferList: [remote.port] })
  const total = stepsOf(task.work, task.model)
  let done = 0
  let forget = (): void => undefined
  const result = new Promise<Result>((resolve, reject) => {
    forget = onAbort(signal, reject)
    worker.on('message', (answer: ReferenceAnswer) => {
      try {
        if (answer === null) onLayer?.(++done, total)
        else if ('result' in answer) resolve(answer.result)
        else reject(errorOf(answer.failure))
      } catch (error) {
        // A caller stops the work by throwing.
        reject(error instanceof Error ? error : new Error(String(error)))
      }
    })
    onWorkerEnd(worker, (why, cause) => {
      reject(environment(`the thread of the reference ended: ${why}`, { code: 'process-failed', cause }))
    })
  })
  return result.finally(() => {
    forget()
    close()
    return worker.terminate()
  })
}

/**
 * Does work of the reference: in other threads, so that this one stays free for signals, unless it is done at
 * once.
 * @throws AlbertkitError of the source; `interrupted` if `signal` is aborted; `environment` if a thread ends early
 */
export async function compute<K extends Work['kind']>(
  work: Work & { readonly kind: K },
  subject: Subject,
  { signal, onLayer }: ComputeOptions = {},
): Promise<Results[K]> {
  stopIfAborted(signal)
  const flops = flopsOf(work, subject.model)
  if (THREADED && flops > WORTH_A_THREAD) {
    const task = { work, model: subject.model, threads: threadsFor(flops) }
    return (await inThread(task, subject, { signal, onLayer })) as Results[K]
  }
  await yieldToEventLoop()
  const total = stepsOf(work, subject.model)
  let done = 0
  return perform(work, subject, { onLayer: () => onLayer?.(++done, total) }) as Results[K]
}
