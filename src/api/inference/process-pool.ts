import { AskedProcess } from '../../base/asked-process.js'
import { processFile } from '../../base/child-process.js'
import { environment, type AlbertkitError } from '../../base/errors.js'
import { defaultThreads, WindowPool } from './pool.js'
import type { PoolPlan } from './pool-process.js'
import type { Readable, Reading, TextInput, TextPool, WindowRows } from './window.js'
import type { WindowTask, WorkerPlan } from './window-worker.js'
import { mostFlops, quickFlops } from './work.js'

const PROCESS = processFile(new URL('./pool-process.js', import.meta.url))

const failed = (how: string): AlbertkitError =>
  environment(`the process of the inference threads ${how}`, {
    code: 'process-failed',
    hint: 'sessions of a large model need much memory: use fewer `threads`, or a smaller `batch`',
  })

/**
 * Runs windows of texts in the threads of a separate process, which is killed if it is no longer needed, so that Ctrl-C
 * and SIGTERM take effect although batches take seconds. A first window of short texts runs in the calling thread.
 */
class ProcessPool implements TextPool {
  readonly #here: WindowPool
  readonly #most: number
  #process: AskedProcess<WindowTask, WindowRows> | null = null
  /** True while the calling thread runs a window. */
  #isReading = false

  constructor(
    readonly file: string,
    model: Readable,
    readonly plan: WorkerPlan,
    threads: number,
  ) {
    this.#here = new WindowPool(model, plan, 1)
    this.#most = Math.max(1, threads)
  }

  get width(): number {
    return 2 * this.#most
  }

  get threads(): number {
    return Math.min(this.#most, this.#process?.waiting ?? 0)
  }

  read(inputs: readonly TextInput[], reading: Reading): Promise<WindowRows> {
    if (this.#process?.isOver === true) this.#process = null
    if (this.#process === null && this.#isQuick(inputs, reading)) return this.#readHere(inputs, reading)
    return (this.#process ??= this.#start()).ask({ inputs, reading })
  }

  /**
   * True if these texts run in the calling thread: no batch of them takes so long that a signal would have to wait, and
   * none waits there before them, as in a file of more than one window, which has a use for several threads.
   */
  #isQuick(inputs: readonly TextInput[], { batch }: Reading): boolean {
    const flops = mostFlops(inputs, Math.min(batch, inputs.length), this.plan)
    return !this.#isReading && flops <= quickFlops(this.plan)
  }

  async #readHere(inputs: readonly TextInput[], reading: Reading): Promise<WindowRows> {
    this.#isReading = true
    try {
      return await this.#here.read(inputs, reading)
    } finally {
      this.#isReading = false
    }
  }

  #start(): AskedProcess<WindowTask, WindowRows> {
    const started = new AskedProcess<WindowTask, WindowRows>(this.file, failed, 'advanced')
    started.tell({ plan: this.plan, threads: this.#most } satisfies PoolPlan)
    return started
  }

  async close(): Promise<void> {
    this.#process?.close()
    await this.#here.close()
  }
}

/**
 * Pool for a model: threads of this process if no batch takes long, else those of a separate one.
 * @param batch usual number of rows per batch
 * @param threads number of concurrent sessions; default as many as the machine allows
 */
export function openPool(model: Readable, plan: WorkerPlan, batch: number, threads = defaultThreads(plan)): TextPool {
  const longest = batch * plan.maxLength * plan.flopsPerToken
  if (PROCESS === null || longest <= quickFlops(plan)) return new WindowPool(model, plan, threads)
  return new ProcessPool(PROCESS, model, plan, threads)
}
