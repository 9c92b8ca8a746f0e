import { existsSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { malformed } from '../base/errors.js'
import type { FilePort } from '../formats/core/file-port.js'
import { disk } from './disk.js'
import { hashFile, hashThrough, type FileHash } from './hash-file.js'
import type { Answer, Request } from './hash-worker.js'

export { hashFile, type FileHash } from './hash-file.js'

/** Starting a thread costs about as long as hashing this much. */
const WORTH_A_THREAD = 32 * 1024 * 1024

/** The thread's own file; absent where this module runs as TypeScript, which no thread can start from. */
const WORKER = fileURLToPath(new URL('./hash-worker.js', import.meta.url))

const sizeOf = (path: string): number => statSync(path).size

/**
 * SHA-256 of files. Large ones are hashed by a thread of their own while the conversion goes on, those that are written
 * right behind the writer: it reads them again, from the page cache. When the conversion is done, the main thread takes its share of what is left.
 */
export class Hasher {
  readonly #hashes = new Map<string, FileHash>()
  readonly #queue: Request[] = []
  /** Files that are followed while they are written. */
  readonly #growing = new Map<string, Int32Array>()
  readonly #elsewhere: { readonly path: string; readonly files: FilePort }[] = []
  #bytes = 0
  #worker: Worker | null = null
  #busy = false
  #failed: Error | null = null
  #idle: (() => void) | null = null

  /** A file that is complete; one that is not of the disk is hashed at the end. */
  add(path: string, files: FilePort = disk): void {
    if (files !== disk) {
      this.#elsewhere.push({ path, files })
      return
    }
    const growing = this.#growing.get(path)
    if (growing === undefined) {
      this.#take({ path, complete: null }, sizeOf(path))
      return
    }
    Atomics.store(growing, 0, 1)
    Atomics.notify(growing, 0)
  }

  /**
   * A file of about `bytes` that is there and about to be written from start to end: a large one is hashed behind the
   * writer. `add` says when it is complete.
   */
  follow(path: string, bytes: number): void {
    if (bytes < WORTH_A_THREAD || !existsSync(WORKER)) return
    const complete = new Int32Array(new SharedArrayBuffer(4))
    this.#growing.set(path, complete)
    this.#take({ path, complete }, bytes)
  }

  #take(request: Request, bytes: number): void {
    this.#queue.push(request)
    this.#bytes += bytes
    if (this.#bytes >= WORTH_A_THREAD && existsSync(WORKER)) this.#worker ??= this.#start()
    this.#feed()
  }

  #start(): Worker {
    const worker = new Worker(WORKER)
    worker.on('message', (answer: Answer) => {
      if ('hash' in answer) this.#hashes.set(answer.path, answer.hash)
      else this.#failed ??= malformed(`the file could not be read again: ${answer.error}`, { file: answer.path })
      this.#busy = false
      this.#feed()
    })
    worker.on('error', (error: unknown) => {
      this.#failed ??= error instanceof Error ? error : new Error(String(error))
      this.#busy = false
      this.#idle?.()
    })
    return worker
  }

  /** Gives the thread its next file. */
  #feed(): void {
    if (this.#worker === null || this.#busy) return
    const request = this.#queue.shift()
    if (request === undefined) {
      this.#idle?.()
      return
    }
    this.#busy = true
    this.#worker.postMessage(request)
  }

  /**
   * Waits for all hashes.
   * @throws AlbertkitError where a file could not be read
   */
  async finish(): Promise<ReadonlyMap<string, FileHash>> {
    for (let next = this.#queue.pop(); next !== undefined; next = this.#queue.pop()) {
      this.#hashes.set(next.path, hashFile(next.path, next.complete))
      // Lets the thread's answer in, so that it gets its next file.
      await new Promise((resolve) => setImmediate(resolve))
    }
    for (const { path, files } of this.#elsewhere) this.#hashes.set(path, hashThrough(files, path))
    if (this.#busy) await new Promise<void>((resolve) => (this.#idle = resolve))
    if (this.#failed !== null) throw this.#failed
    return this.#hashes
  }

  async close(): Promise<void> {
    await this.#worker?.terminate()
    this.#worker = null
  }
}
