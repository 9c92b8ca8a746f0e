import type { SerializationType } from 'node:child_process'
import { startProcess } from './child-process.js'
import { errorOf, failureOf, type Failure } from './error-transfer.js'
import type { AlbertkitError } from './errors.js'
import { onInterrupt } from './interrupt.js'

type Asked<Request> = Request & { readonly id: number }
type Answered<Done> = { readonly id: number } & (
  | { readonly done: Done }
  | { readonly failure: Failure }
  /** Something on the way to the answer. */
  | { readonly said: unknown }
)

interface Waiting<Done> {
  readonly resolve: (done: Done) => void
  readonly reject: (error: Error) => void
  readonly onSaid: ((said: never) => void) | undefined
}

/**
 * A process that answers requests (`answerRequests`): it can be killed while a native runtime computes in it. Requests
 * that wait when it ends are rejected, but for those of a process that was closed or interrupted.
 */
export class AskedProcess<Request extends object, Done> {
  readonly #waiting = new Map<number, Waiting<Done>>()
  readonly #started: ReturnType<typeof startProcess>
  readonly #forget: () => void
  #next = 0
  #ended: Error | null = null
  #killed = false
  #owes = true

  /**
   * @param failed error of a request whose process ended in some way
   * @param serialization of messages; `advanced` keeps typed arrays
   */
  constructor(
    file: string,
    readonly failed: (how: string) => AlbertkitError,
    serialization: SerializationType = 'json',
  ) {
    this.#started = startProcess(file, serialization)
    this.#forget = onInterrupt(() => {
      this.#owes = false
    })
    const { child } = this.#started
    child.on('message', (answer: Answered<Done>) => {
      const waiting = this.#waiting.get(answer.id)
      if ('said' in answer) {
        waiting?.onSaid?.(answer.said as never)
        return
      }
      this.#waiting.delete(answer.id)
      if ('done' in answer) waiting?.resolve(answer.done)
      else waiting?.reject(errorOf(answer.failure))
    })
    child.once('error', (error) => {
      this.#end(`could not be used: ${error.message}`)
    })
    child.once('exit', (code, signal) => {
      this.#end(signal === null ? `ended with exit code ${String(code)}` : `crashed (${signal})`)
    })
  }

  /** Number of requests that wait. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** True if it answers nothing any more. */
  get isOver(): boolean {
    return this.#killed || this.#ended !== null
  }

  /** Sends a message that is no request. */
  tell(message: object): void {
    this.#started.child.send(message, () => undefined)
  }

  /** @param onSaid called with what the process says on the way to the answer */
  ask(request: Request, onSaid?: (said: never) => void): Promise<Done> {
    const id = this.#next++
    return new Promise((resolve, reject) => {
      if (this.#ended !== null) {
        reject(this.#ended)
        return
      }
      this.#waiting.set(id, { resolve, reject, onSaid })
      // A process that ends meanwhile rejects what waits for it.
      this.tell({ id, ...request } satisfies Asked<Request>)
    })
  }

  kill(): void {
    this.#killed = true
    this.#started.child.kill('SIGKILL')
  }

  /** Kills it; what waits is not answered. */
  close(): void {
    this.#owes = false
    this.#forgetAll()
    this.kill()
  }

  #forgetAll(): void {
    this.#started.forget()
    this.#forget()
  }

  #end(how: string): void {
    this.#ended ??= this.failed(how)
    if (this.#owes) for (const { reject } of this.#waiting.values()) reject(this.#ended)
    this.#waiting.clear()
    this.#forgetAll()
  }
}

/**
 * Answers the requests of an `AskedProcess`, in the process that it started.
 * @param answer gets a function that says something on the way to the answer
 */
export function answerRequests(answer: (request: never, say: (said: unknown) => void) => Promise<unknown>): void {
  // Ctrl-C reaches the whole group: the process that started this one decides.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
  // Nobody is left to use the results. `process.exit` would wait for threads and runtimes.
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
  process.on('message', (request: Asked<object>) => {
    const { id } = request
    const say = (message: Answered<unknown>): void => void process.send?.(message)
    const tell = (said: unknown): void => {
      say({ id, said })
    }
    answer(request as never, tell).then(
      (done) => {
        say({ id, done })
      },
      (error: unknown) => {
        say({ id, failure: failureOf(error) })
      },
    )
  })
}
