import { processFile, startProcess } from '../../base/child-process.js'
import { errorOf } from '../../base/error-transfer.js'
import { environment } from '../../base/errors.js'
import { defaultThreads, WindowPool } from './pool.js'
import type { PoolAnswer, PoolPlan, PoolRequest } from './pool-process.js'
import type { Readable, Reading, TextInput, TextPool, WindowRows } from './window.js'
import type { WorkerPlan } from './window-worker.js'

const PROCESS = processFile(new URL('./pool-process.js', import.meta.url))

/**
 * Floating-point operations of a batch that take up to about a quarter of a second in one thread. Longer ones do not
 * run in this process, since a thread cannot be ended while a native runtime computes in it.
 */
const QUICK = { native: 1e10, wasm: 2.5e9 } as const

const quickFlops = ({ runner }: WorkerPlan): number => (runner === 'onnxruntime' ? QUICK.native : QUICK.wasm)

/** Upper limit on the tokens of a text: each is a character at least, but for the special ones. */
const mostTokens = (input: TextInput): number =>
  'input_ids' in input ? input.input_ids.length : input[0].length + (input[1]?.length ?? 0) + 3

interface Waiting {
  readonly resolve: (rows: WindowRows) => void
  readonly reject: (error: Error) => void
}

/**
 * Runs windows of texts in the threads of a separate process, which is killed if it is no longer needed, so that Ctrl-C
 * and SIGTERM take effect although batches take seconds. Few short texts run in the calling thread.
 */
class ProcessPool implements TextPool {
  readonly #here: WindowPool
  readonly #most: number
  readonly #waiting = new Map<number, Waiting>()
  #process: ReturnType<typeof startProcess> | null = null
  #next = 0
  #closed = false

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
    return this.#most + 1
  }

  get threads(): number {
    return Math.min(this.#most, this.#waiting.size)
  }

  read(inputs: readonly TextInput[], reading: Reading): Promise<WindowRows> {
    if (this.#process === null && this.#isQuick(inputs, reading)) return this.#here.read(inputs, reading)
    const { child } = (this.#process ??= this.#start())
    const id = this.#next++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      // A process that has ended rejects what waits for it.
      child.send({ id, inputs, reading } satisfies PoolRequest, () => undefined)
    })
  }

  /** True if no batch of these texts takes long. */
  #isQuick(inputs: readonly TextInput[], { batch }: Reading): boolean {
    const { maxLength, flopsPerToken } = this.plan
    const longest = inputs.reduce((most, input) => Math.max(most, mostTokens(input)), 0)
    const tokens = Math.min(batch, inputs.length) * Math.min(maxLength, longest)
    return tokens * flopsPerToken <= quickFlops(this.plan)
  }

  #start(): ReturnType<typeof startProcess> {
    const started = startProcess(this.file, 'advanced')
    const { child, forget } = started
    child.on('message', (answer: PoolAnswer) => {
      const waiting = this.#waiting.get(answer.id)
      this.#waiting.delete(answer.id)
      if ('rows' in answer) waiting?.resolve(answer.rows)
      else waiting?.reject(errorOf(answer.failure))
    })
    const ended = (how: string): void => {
      forget()
      if (this.#process === started) this.#process = null
      // A closed pool owes no answers.
      if (this.#closed) return
      const error = environment(`the process of the inference threads ${how}`, {
        code: 'process-failed',
        hint: 'sessions of a large model need much memory: use fewer `threads`, or a smaller `batch`',
      })
      for (const { reject } of this.#waiting.values()) reject(error)
      this.#waiting.clear()
    }
    child.once('error', (error) => {
      ended(`could not be used: ${error.message}`)
    })
    child.once('exit', (code, signal) => {
      ended(signal === null ? `ended with exit code ${String(code)}` : `crashed (${signal})`)
    })
    child.send({ plan: this.plan, threads: this.#most } satisfies PoolPlan, () => undefined)
    return started
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#process?.forget()
    this.#process?.child.kill('SIGKILL')
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
