import { availableParallelism, freemem } from 'node:os'
import { Worker } from 'node:worker_threads'
import { environment } from '../../base/errors.js'
import { errorOf } from '../../base/error-transfer.js'
import { onInterrupt } from '../../base/interrupt.js'
import { onWorkerEnd, THREADED } from '../../base/worker.js'
import { leftOf, newCounts, takeAllOf } from './batch-counts.js'
import {
  joinParts,
  readWindow,
  type Readable,
  type Reading,
  type TextInput,
  type TextPool,
  type WindowPart,
  type WindowRows,
} from './window.js'
import type { SharedTask, WorkerPlan, WorkerAnswer, WorkerTask } from './window-worker.js'
import { mostFlops, quickFlops } from './work.js'

const WORKER = new URL('./window-worker.js', import.meta.url)

/** Peak memory of a session as a multiple of its weights: while loading, it holds about two copies. */
const SESSION = 2

/** Quarters of a second of computing that a thread is started to share: it loads the runtime and the model first. */
const START = 4

/** Number of sessions open at once: one per core, limited to half of the free memory. */
export const defaultThreads = ({ bytes }: Pick<WorkerPlan, 'bytes'>): number =>
  Math.max(1, Math.min(availableParallelism(), Math.floor(freemem() / 2 / (SESSION * Math.max(bytes, 1)))))

/** Window in progress or waiting, and the parts of it that threads have run so far. */
interface Job extends SharedTask {
  readonly parts: WindowPart[]
  readonly resolve: (rows: WindowRows) => void
  readonly reject: (error: Error) => void
}

/** Batches of a window that no thread has taken; those of one that no thread has begun are counted as full. */
const batchesLeft = ({ inputs, reading, batches }: SharedTask): number =>
  leftOf(batches, Math.ceil(inputs.length / reading.batch))

/** Upper limit on the texts in them. */
const rowsLeft = (job: SharedTask): number => Math.min(job.inputs.length, batchesLeft(job) * job.reading.batch)

/** Adds what a thread has run, and resolves or rejects the window if that was the last batch of it. */
function land(job: Job, answer: WorkerAnswer): void {
  if ('failure' in answer) {
    // Nobody waits for its other batches.
    takeAllOf(job.batches, job.inputs.length)
    job.reject(errorOf(answer.failure))
    return
  }
  job.parts.push(answer.part)
  const done = job.parts.reduce((sum, part) => sum + part.done, 0)
  if (done === answer.part.batches) job.resolve(joinParts(job.parts, job.inputs.length))
}

interface Slot {
  readonly worker: Worker
  /** The window that it runs, and one that it goes on with. */
  readonly jobs: Job[]
}

/**
 * Runs windows of texts, several at a time, each in a thread with its own session: runtimes compute in the calling
 * thread. The first window runs in the main thread, so that a short text starts no thread; threads start with the
 * following windows and stay for later work, e.g. another shard. A thread for which no window is left helps another
 * with its batches, so that the end of a file, or a file of one window, keeps all threads busy.
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

  /** Number of windows that can usefully be in progress at once: each thread has one to go on with. */
  get width(): number {
    return this.#most === 1 ? 1 : 2 * this.#most
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
      this.#queue.push({ inputs, reading, batches: newCounts(), parts: [], resolve, reject })
      this.#feed()
    })
  }

  #feed(): void {
    while (this.#closing === null) {
      const job = this.#queue[0] ?? this.#unfinished()
      if (job === null) return
      const isWaiting = job === this.#queue[0]
      const free = this.#slots.find(({ jobs }) => jobs.length === 0)
      const slot = free ?? (this.#mayStartFor(job) ? this.#start() : isWaiting ? this.#soonest() : null)
      if (slot === null) return
      if (isWaiting) this.#queue.shift()
      slot.jobs.push(job)
      const { inputs, reading, batches } = job
      slot.worker.postMessage({ inputs, reading, batches } satisfies SharedTask)
    }
  }

  /** Window in progress with most batches left, if there are more of them than threads run it; else null. */
  #unfinished(): Job | null {
    const jobs = this.#slots.flatMap((slot) => slot.jobs)
    const most = jobs.toSorted((a, b) => batchesLeft(b) - batchesLeft(a))[0]
    return most === undefined || batchesLeft(most) <= jobs.filter((job) => job === most).length ? null : most
  }

  /** Thread that ends its window first, and has no other to go on with: it need not wait for this one then. */
  #soonest(): Slot | null {
    const left = ({ jobs }: Slot) => batchesLeft(jobs[0]!)
    return this.#slots.filter(({ jobs }) => jobs.length === 1).toSorted((a, b) => left(a) - left(b))[0] ?? null
  }

  /** True if another thread may start: for a waiting window, or to help with batches that take longer than that. */
  #mayStartFor(job: Job): boolean {
    if (this.#slots.length >= this.#most) return false
    const isLong = () => mostFlops(job.inputs, rowsLeft(job), this.plan) > START * quickFlops(this.plan)
    return job === this.#queue[0] || isLong()
  }

  #start(): Slot {
    const task: WorkerTask = { plan: this.plan, stop: this.#stop }
    if (this.#slots.length === 0) this.#forget = onInterrupt(() => this.close())
    const slot: Slot = { worker: new Worker(WORKER, { workerData: task }), jobs: [] }
    slot.worker.on('message', (answer: WorkerAnswer) => {
      // A closed pool owes no answers; an interrupt has been reported already.
      if (this.#closing !== null) return
      land(slot.jobs.shift()!, answer)
      this.#feed()
    })
    const fail = (why: string, cause?: unknown): void => {
      const error = environment(`an inference thread ended: ${why}`, {
        code: 'process-failed',
        hint: 'use 1 for `threads` to run without threads; sessions of a large model need much memory',
        cause,
      })
      for (const job of [...slot.jobs, ...this.#queue.splice(0)]) job.reject(error)
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
