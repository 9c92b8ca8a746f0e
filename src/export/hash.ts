import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { malformed } from '../errors.js'

export interface FileHash {
  readonly sha256: string
  readonly bytes: number
}

const PIECE = 1024 * 1024
/** Starting a thread costs about as long as hashing this much. */
const WORTH_A_THREAD = 32 * 1024 * 1024

let buffer: Uint8Array | null = null

/** Hashes a file in pieces. */
export function hashFile(path: string): FileHash {
  const descriptor = openSync(path, 'r')
  try {
    const hash = createHash('sha256')
    // One buffer for all files: a fresh one for each would pile up until the collector comes.
    buffer ??= new Uint8Array(PIECE)
    let bytes = 0
    for (;;) {
      const n = readSync(descriptor, buffer, 0, PIECE, null)
      if (n === 0) return { sha256: hash.digest('hex'), bytes }
      hash.update(buffer.subarray(0, n))
      bytes += n
    }
  } finally {
    closeSync(descriptor)
  }
}

const sizeOf = (path: string): number => statSync(path).size

type Answer = { readonly path: string } & ({ readonly hash: FileHash } | { readonly error: string })

/**
 * SHA-256 of files. Large ones are hashed by a thread of their own while the conversion goes on: it reads them again,
 * from the page cache. When the conversion is done, the main thread takes its share of what is left.
 */
export class Hasher {
  readonly #hashes = new Map<string, FileHash>()
  readonly #queue: string[] = []
  #bytes = 0
  #worker: Worker | null = null
  #busy = false
  #failed: Error | null = null
  #idle: (() => void) | null = null

  add(path: string): void {
    this.#queue.push(path)
    this.#bytes += sizeOf(path)
    // Under a test runner this module is TypeScript, which no thread can start from.
    const own = fileURLToPath(import.meta.url)
    if (this.#bytes >= WORTH_A_THREAD && own.endsWith('.js')) this.#worker ??= this.#start(own)
    this.#feed()
  }

  #start(file: string): Worker {
    const worker = new Worker(file)
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
    const path = this.#queue.shift()
    if (path === undefined) {
      this.#idle?.()
      return
    }
    this.#busy = true
    this.#worker.postMessage(path)
  }

  /**
   * Waits for all hashes.
   * @throws AlbertkitError where a file could not be read
   */
  async finish(): Promise<ReadonlyMap<string, FileHash>> {
    for (let path = this.#queue.pop(); path !== undefined; path = this.#queue.pop()) {
      this.#hashes.set(path, hashFile(path))
      // Lets the thread's answer in, so that it gets its next file.
      await new Promise((resolve) => setImmediate(resolve))
    }
    if (this.#busy) await new Promise<void>((resolve) => (this.#idle = resolve))
    if (this.#failed !== null) throw this.#failed
    return this.#hashes
  }

  async close(): Promise<void> {
    await this.#worker?.terminate()
    this.#worker = null
  }
}

/** The thread: hashes what it is told to, one after the other. */
if (!isMainThread && parentPort !== null) {
  const port = parentPort
  port.on('message', (path: string) => {
    try {
      port.postMessage({ path, hash: hashFile(path) } satisfies Answer)
    } catch (error) {
      port.postMessage({ path, error: (error as Error).message } satisfies Answer)
    }
  })
}
