import { parentPort } from 'node:worker_threads'
import { hashFile, type FileHash } from './hash-file.js'

/** The thread of `Hasher`: hashes the files that it is told to, one after the other. */

export type Answer = { readonly path: string } & ({ readonly hash: FileHash } | { readonly error: string })

parentPort?.on('message', (path: string) => {
  try {
    parentPort?.postMessage({ path, hash: hashFile(path) } satisfies Answer)
  } catch (error) {
    parentPort?.postMessage({ path, error: (error as Error).message } satisfies Answer)
  }
})
