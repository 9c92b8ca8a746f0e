import { availableParallelism, freemem } from 'node:os'
import { Worker } from 'node:worker_threads'
import { environment } from '../../base/errors.js'
import { errorOf } from '../../base/error-transfer.js'
import { onInterrupt } from '../../base/interrupt.js'
import { onWorkerEnd, THREADED } from '../../base/worker.js'
import { readWindow, type Readable, type Reading, type TextInput, type TextPool, type WindowRows } from './window.js'
import type { WorkerPlan, WindowTask, WorkerAnswer, WorkerTask } from './window-worker.js'

const WORKER = new URL('./window-worker.js', import.meta.url)

/** Peak memory of a session as a multiple of its weights: while loading, it holds about two copies. */
const SESSION = 2

/** Number of sessions open at once: one per core, limited to half of the free memory. */
export const defaultThreads = ({ bytes }: Pick<WorkerPlan, 'bytes'>): number =>
  Math.max(1, Math.min(availableParallelism(), Math.floor(freemem() / 2 / (SESSION * Math.max(bytes, 1)))))

interface Job extends WindowTask {
  readonly resolve: (rows: WindowRows) => void
  readonly reject: (error: Error) => void
}

interface Slot {
  readonly worker: Worker
  job: Job | null
}

/**
 * Runs windows of texts, several at a time, each in a thread with its own session: runtimes compute in the calling
 * thread. The first window runs in the main thread, so that a short text starts no thread; threads start with the
 * following windows and stay for later work, e.g. another shard.
 */
export class WindowPool implements TextPool {
  readonly #slots: Slot[] = []
  readonly #queue: Job[] = []
  readonly #most: number
  readonly #stop = new Int32Array(new SharedArrayBuffer(4))
  #here: Promise<unknown> | null = null
  #closing: Promise<void> | null = null
  #forget: () => void = () => undefined

  /**
   * @param model that runs in the calling thread; null to run nothing there
   * @param threads number of concurrent sessions; 1 runs everything in the calling thread
   */
  constructor(
    readonly model: Readable | null,
    readonly plan: WorkerPlan,
    threads: number = defaultThreads(plan),
  ) {
    this.#most = THREADED ? Math.max(1, threads) : 1
  }

  /** Number of windows that can usefully be in progress at once. */
  get width(): number {
    return this.#most === 1 ? 1 : this.#most + 1
  }

  /** Number of running threads. */
  get threads(): number {
    return this.#slots.length
  }

  read(inputs: readonly TextInput[], reading: Reading): Promise<WindowRows> {
    const { model } = this
    if (model !== null && (this.#most === 1 || this.#here === null)) {
      // Strictly in order: there is only one session.
      const before = this.#here ?? Promise.resolve()
      const rows = before.then(() => readWindow(model, inputs, reading, () => this.#closing !== null))
      this.#here = rows.catch(() => undefined)
      return rows
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ inputs, reading, resolve, reject })
      this.#feed()
    })
  }

  #feed(): void {
    while (this.#queue.length > 0 && this.#closing === null) {
      const free = this.#slots.find(({ job }) => job === null)
      const slot = free ?? (this.#slots.length < this.#most ? this.#start() : null)
      if (slot === null) return
      slot.job = this.#queue.shift()!
      const { inputs, reading } = slot.job
      slot.worker.postMessage({ inputs, reading } satisfies WindowTask)
    }
  }

  #start(): Slot {
    const task: WorkerTask = { plan: this.plan, stop: this.#stop }
    if (this.#slots.length === 0) this.#forget = onInterrupt(() => this.close())
    const slot: Slot = { worker: new Worker(WORKER, { workerData: task }), job: null }
    slot.worker.on('message', (answer: WorkerAnswer) => {
      // A closed pool owes no answers; an interrupt has been reported already.
      if (this.#closing !== null) return
      const { job } = slot
      slot.job = null
      if ('rows' in answer) job?.resolve(answer.rows)
      else job?.reject(errorOf(answer.failure))
      this.#feed()
    })
    const fail = (why: string, cause?: unknown): void => {
      const error = environment(`an inference thread ended: ${why}`, {
        code: 'process-failed',
        hint: 'use 1 for `threads` to run without threads; sessions of a large model need much memory',
        cause,
      })
      for (const job of [slot.job, ...this.#queue.splice(0)]) job?.reject(error)
      slot.job = null
      this.#slots.splice(this.#slots.indexOf(slot), 1)
    }
    onWorkerEnd(slot.worker, (why, cause) => {
      if (this.#closing === null && this.#slots.includes(slot)) fail(why, cause)
    })
    this.#slots.push(slot)
    return slot
  }

  /**
   * Ends the threads, each after its current batch: terminating a thread while onnxruntime computes crashes the whole
   * process.
   */
  close(): Promise<void> {
    return (this.#closing ??= this.#end())
  }

  async #end(): Promise<void> {
    this.#forget()
    Atomics.store(this.#stop, 0, 1)
    const ended = this.#slots.map(
      ({ worker }) =>
        new Promise<void>((resolve) => {
          worker.once('exit', () => {
            resolve()
          })
          worker.postMessage(null)
        }),
    )
    await Promise.all([...ended, this.#here])
  }
}
