import { existsSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { malformed } from '../base/errors.js'
import type { FilePort } from '../formats/core/file-port.js'
import { disk } from './disk.js'
import { hashFile, hashThrough, type FileHash } from './hash-file.js'
import type { Answer, Request } from './hash-worker.js'

export { hashFile, type FileHash } from './hash-file.js'

/** Number of bytes whose hashing takes longer than starting a thread. */
const WORTH_A_THREAD = 128 * 1024 * 1024

/** Script of the worker thread; absent if this module runs as TypeScript, from which no thread can start. */
const WORKER = fileURLToPath(new URL('./hash-worker.js', import.meta.url))

/** True if the path of a port is one of the disk; a port may refuse some of its files. */
function isOnDisk(files: FilePort, path: string): boolean {
  const real = files.realPath?.(path) ?? null
  return files === disk || (real !== null && real === disk.realPath!(path))
}

const sizeOf = (path: string): number => statSync(path).size

/**
 * Computes SHA-256 of files. A worker thread hashes large ones during the conversion; a file that is still being
 * written is read back from the page cache right behind the writer. After the conversion, the main thread helps.
 */
export class Hasher {
  readonly #hashes = new Map<string, FileHash>()
  readonly #queue: Request[] = []
  /** Completion flags of files that are hashed while they are written, by path. */
  readonly #growing = new Map<string, Int32Array>()
  readonly #elsewhere: { readonly path: string; readonly files: FilePort }[] = []
  #bytes = 0
  #worker: Worker | null = null
  #busy = false
  #failed: Error | null = null
  #idle: (() => void) | null = null

  /** Adds a complete file; a file that is not on `disk` is hashed at the end. */
  add(path: string, files: FilePort = disk): void {
    if (!isOnDisk(files, path)) {
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
   * Adds a file of about `bytes` that exists and is going to be written from start to end: a large one is hashed behind
   * the writer. Call `add` when it is complete.
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
      else
        this.#failed ??= malformed(`the file could not be read again: ${answer.error}`, {
          code: 'file-unreadable',
          file: answer.path,
        })
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

  /** Sends the next file to the thread. */
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
   * @throws AlbertkitError if a file could not be read
   */
  async finish(): Promise<ReadonlyMap<string, FileHash>> {
    for (let next = this.#queue.pop(); next !== undefined; next = this.#queue.pop()) {
      this.#hashes.set(next.path, hashFile(next.path, next.complete))
      // Handles the thread's answer, so that it gets its next file.
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
