import { parentPort } from 'node:worker_threads'
import { hashFile, type FileHash } from './hash-file.js'

/** Worker thread of `Hasher`: hashes the files that it is sent, one after another. */

export type Answer = { readonly path: string } & ({ readonly hash: FileHash } | { readonly error: string })

/** A file to hash; `complete`, for a file that is still being written, becomes 1 when it is complete. */
export interface Request {
  readonly path: string
  readonly complete: Int32Array | null
}

parentPort?.on('message', ({ path, complete }: Request) => {
  try {
    parentPort?.postMessage({ path, hash: hashFile(path, complete) } satisfies Answer)
  } catch (error) {
    parentPort?.postMessage({ path, error: (error as Error).message } satisfies Answer)
  }
})
