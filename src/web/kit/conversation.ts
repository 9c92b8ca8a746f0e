/// <reference lib="dom" />
import { onAbort, stopIfAborted, type OnProgress } from '../../base/abort.js'
import { errorOf } from '../../base/error-transfer.js'
import { environment, malformed } from '../../base/errors.js'
import type { Deadline, KitAnswer, KitRequest, NumberedAnswer } from './protocol.js'

interface Pending {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
  readonly onProgress: OnProgress | undefined
}

export interface AskOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

/** Time in which a worker stops by itself once it is told to, in milliseconds. */
const PATIENCE_MS = 400

/** Talks with a worker, and with the next one if that had to be ended. */
export class Conversation {
  readonly #pending = new Map<number, Pending>()
  #worker: Worker | null = null
  #watchdog: ReturnType<typeof setTimeout> | undefined
  #ids = 0

  /**
   * @param start makes a worker
   * @param greet what a new worker is told first
   */
  constructor(
    readonly start: () => Worker,
    readonly greet: () => readonly KitRequest[],
  ) {}

  #running(): Worker {
    if (this.#worker !== null) return this.#worker
    const worker = this.start()
    this.#worker = worker
    worker.onmessage = ({ data }: MessageEvent<KitAnswer>) => {
      if ('deadline' in data) this.#watch(data)
      else this.#hear(data)
    }
    worker.onerror = ({ message }) => {
      this.end(environment(`the worker of albertkit ended: ${message}`, { code: 'process-failed' }))
    }
    for (const request of this.greet()) this.#post(worker, request).catch(() => undefined)
    return worker
  }

  /** Ends the worker if what it does now takes too long. */
  #watch({ deadline }: Deadline): void {
    clearTimeout(this.#watchdog)
    if (deadline === null) return
    this.#watchdog = setTimeout(() => {
      this.end(
        malformed('reading the file found no end', {
          code: 'limit-exceeded',
          hint: 'the file is damaged: fetch it again',
        }),
      )
    }, deadline)
  }

  #hear(answer: NumberedAnswer): void {
    const pending = this.#pending.get(answer.id)
    if (pending === undefined) return
    if ('step' in answer) {
      pending.onProgress?.(answer.step)
      return
    }
    this.#pending.delete(answer.id)
    if ('failure' in answer) pending.reject(errorOf(answer.failure))
    else pending.resolve(answer.result)
  }

  #post(worker: Worker, request: KitRequest, onProgress?: OnProgress): Promise<unknown> {
    const id = ++this.#ids
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject, onProgress })
      worker.postMessage({ ...request, id })
    })
  }

  /** @throws AlbertkitError of the worker; `interrupted` if `signal` is aborted */
  async ask(request: KitRequest, { signal, onProgress }: AskOptions = {}): Promise<unknown> {
    stopIfAborted(signal)
    const worker = this.#running()
    const answer = this.#post(worker, request, onProgress)
    const id = this.#ids
    const forget = onAbort(signal, (error) => {
      worker.postMessage({ ask: 'abort', of: id, id: ++this.#ids })
      // What computes hears nothing.
      setTimeout(() => {
        if (this.#pending.has(id)) this.end(error)
      }, PATIENCE_MS)
    })
    return answer.finally(forget)
  }

  /** Ends the worker; what it was asked fails with `reason`. */
  end(reason: Error): void {
    clearTimeout(this.#watchdog)
    this.#worker?.terminate()
    this.#worker = null
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    for (const { reject } of pending) reject(reason)
  }
}
