import { createHash } from 'node:crypto'
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs'
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

/** Hashes a file in pieces. */
export function hashFile(path: string): FileHash {
  const descriptor = openSync(path, 'r')
  try {
    const hash = createHash('sha256')
    const buffer = new Uint8Array(PIECE)
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

function sizeOf(path: string): number {
  const descriptor = openSync(path, 'r')
  try {
    return fstatSync(descriptor).size
  } finally {
    closeSync(descriptor)
  }
}

type Answer = { readonly path: string } & ({ readonly hash: FileHash } | { readonly error: string })

/**
 * SHA-256 of files. Large ones are hashed by a thread of their own while the conversion goes on: it reads them again,
 * from the page cache.
 */
export class Hasher {
  readonly #hashes = new Map<string, FileHash>()
  readonly #small: string[] = []
  readonly #pending = new Set<string>()
  #worker: Worker | null = null
  #failed: Error | null = null
  #settled: (() => void) | null = null

  add(path: string): void {
    // Under a test runner this module is TypeScript, which no thread can start from.
    const own = fileURLToPath(import.meta.url)
    if (sizeOf(path) < WORTH_A_THREAD || !own.endsWith('.js') || !existsSync(own)) {
      this.#small.push(path)
      return
    }
    this.#pending.add(path)
    this.#worker ??= this.#start(own)
    this.#worker.postMessage(path)
  }

  #start(file: string): Worker {
    const worker = new Worker(file)
    worker.on('message', (answer: Answer) => {
      this.#pending.delete(answer.path)
      if ('hash' in answer) this.#hashes.set(answer.path, answer.hash)
      else this.#failed = malformed(`the file could not be read again: ${answer.error}`, { file: answer.path })
      if (this.#pending.size === 0) this.#settled?.()
    })
    worker.on('error', (error) => {
      this.#failed = error
      this.#settled?.()
    })
    return worker
  }

  /**
   * Waits for all hashes.
   * @throws AlbertkitError where a file could not be read
   */
  async finish(): Promise<ReadonlyMap<string, FileHash>> {
    for (const path of this.#small.splice(0)) this.#hashes.set(path, hashFile(path))
    if (this.#pending.size > 0 && this.#failed === null) await new Promise<void>((resolve) => (this.#settled = resolve))
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
