import { Worker, type MessagePort } from 'node:worker_threads'
import { errorOf } from '../../base/error-transfer.js'
import { environment } from '../../base/errors.js'
import { isListening } from '../../base/interrupt.js'
import { onWorkerEnd, THREADED } from '../../base/worker.js'
import type { ModelInputs } from '../../model/reference/run.js'
import {
  openRunner,
  runnerInfo,
  type NamedTensor,
  type Runnable,
  type Runner,
  type RunnerOptions,
} from '../../runtime/runners.js'
import { QUICK_FLOPS } from '../../runtime/quick-flops.js'
import { serve } from '../reference/remote-source.js'
import { HAS_PROCESSES, openInProcess } from './process-runner.js'
import type { RunnerData } from './runner-data.js'
import type { RunnerAnswer, RunnerPlan, RunnerRequest } from './runner-worker.js'

const WORKER = new URL('./runner-worker.js', import.meta.url)

/** Floating-point operations of one run that take so long that a signal should not wait for them. */
const LONG = 1e9

/** The thread of a runner, which answers one request at a time. */
class Conversation {
  readonly #worker: Worker
  #settle: ((answer: RunnerAnswer | Error) => void) | null = null

  constructor(plan: RunnerPlan, transferList: MessagePort[]) {
    this.#worker = new Worker(WORKER, { workerData: plan, transferList })
    this.#worker.on('message', (answer: RunnerAnswer) => this.#settle?.(answer))
    onWorkerEnd(this.#worker, (why, cause) =>
      this.#settle?.(environment(`the thread of a runtime ended: ${why}`, { code: 'process-failed', cause })),
    )
  }

  /** The next answer. @throws AlbertkitError that the thread met, `environment` if it ended */
  next(): Promise<Exclude<RunnerAnswer, { failure: unknown }>> {
    return new Promise((resolve, reject) => {
      this.#settle = (answer) => {
        this.#settle = null
        if (answer instanceof Error) reject(answer)
        else if ('failure' in answer) reject(errorOf(answer.failure))
        else resolve(answer)
      }
    })
  }

  ask(request: RunnerRequest): Promise<Exclude<RunnerAnswer, { failure: unknown }>> {
    this.#worker.postMessage(request)
    return this.next()
  }

  async end(): Promise<void> {
    this.#settle = null
    await this.#worker.terminate()
  }
}

/** A runner in a separate thread. */
class ThreadRunner implements Runner {
  readonly name: string
  readonly detail: string
  readonly adapter: Runner['adapter']
  readonly outputs: readonly string[]
  readonly marks: readonly string[]
  readonly inner: readonly string[]
  readonly sequence?: number
  readonly #thread: Conversation
  readonly #end: () => Promise<void>

  constructor(data: RunnerData, thread: Conversation, end: () => Promise<void>) {
    ;({ name: this.name, detail: this.detail, adapter: this.adapter } = data)
    ;({ outputs: this.outputs, marks: this.marks, inner: this.inner } = data)
    if (data.sequence !== undefined) this.sequence = data.sequence
    this.#thread = thread
    this.#end = end
  }

  async run(inputs: ModelInputs, wanted?: readonly string[]): Promise<ReadonlyMap<string, NamedTensor>> {
    const answer = await this.#thread.ask({ inputs, wanted })
    return 'outputs' in answer ? answer.outputs : new Map()
  }

  close(): Promise<void> {
    return this.#end()
  }
}

/** Plan of a runner for a thread, with the ports that it takes; `close` ends what serves it. */
function planOf(name: string, what: Runnable): { plan: RunnerPlan; ports: MessagePort[]; close: () => void } {
  if (!('model' in what)) return { plan: { name, what }, ports: [], close: () => undefined }
  const { remote, close } = serve(what.source)
  return { plan: { name, what: { model: what.model, remote } }, ports: [remote.port], close }
}

/** Bytes of a file that takes long to load. */
const LARGE_FILE = 32 << 20

/** What is asked of a runner. */
export interface Effort {
  /** Floating-point operations of the longest run. */
  readonly flops: number
  /** Bytes of the model's file. */
  readonly bytes?: number
}

/** Opens a runner in a thread. */
async function openInThread(name: string, what: Runnable): Promise<Runner> {
  const { plan, ports, close } = planOf(name, what)
  const thread = new Conversation(plan, ports)
  const end = async (): Promise<void> => {
    close()
    await thread.end()
  }
  try {
    const answer = await thread.next()
    if ('runner' in answer) return new ThreadRunner(answer.runner, thread, end)
    throw new TypeError('the thread answers before it is asked')
  } catch (error) {
    await end()
    throw error
  }
}

/**
 * Opens a runner: in a separate thread if loading or running takes long and would keep this one from handling signals;
 * in a separate process if the runtime is native, since its threads cannot be ended while they compute.
 * @throws AlbertkitError as `openRunner`
 */
export async function openListening(
  name: string,
  what: Runnable,
  options: RunnerOptions,
  { flops, bytes = 0 }: Effort,
): Promise<Runner> {
  const { endable, device } = runnerInfo(name)
  const isLarge = bytes >= LARGE_FILE
  if (THREADED && endable && (flops >= LONG || isLarge)) return openInThread(name, what)
  // A process is for those alone who handle signals: a program that uses the library may not want one.
  const isSlow = isListening() && device === 'cpu' && (flops > QUICK_FLOPS.native || isLarge)
  if (HAS_PROCESSES && isSlow && !endable && 'file' in what) return openInProcess(name, what, options)
  return openRunner(name, what, options)
}
