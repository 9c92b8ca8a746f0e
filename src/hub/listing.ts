import { readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { temporaryIn } from '../base/temporary-folder.js'
import { system } from '../files/write-port.js'
import type { ModelOrigin } from './origin.js'

/** Files of a place on a server, as it listed them or as they were found: without them nothing can be read offline. */

export interface ListedFile {
  /** Path below the folder of the place, with `/`. */
  readonly name: string
  readonly url: string
  readonly size: number
  /** Identity of the contents as the server sends it; null if there is none, or the URL says all. */
  readonly tag: string | null
  /** Name of the blob; null of a file without a name that stands for its bytes. */
  readonly blob: string | null
}

export interface Listing {
  readonly origin: ModelOrigin
  readonly files: readonly ListedFile[]
}

/** Files of a model at most, in a list of a server and in one that was kept. */
export const MAX_FILES = 10_000

/** True for a path that stays in its folder. */
export const isInside = (name: string): boolean =>
  !/[\\\0:]/.test(name) && !name.split('/').some((part) => part === '' || part === '.' || part === '..')

/** True for a name that is a file in a folder of blobs. */
export const isBlobName = (name: string): boolean => /^[\w-]{16,128}$/.test(name)

const isListed = (value: unknown): value is ListedFile => {
  const { name, url, size, tag, blob } = (value ?? {}) as Partial<Record<keyof ListedFile, unknown>>
  return (
    typeof name === 'string' &&
    isInside(name) &&
    typeof url === 'string' &&
    URL.canParse(url) &&
    Number.isSafeInteger(size) &&
    (size as number) >= 0 &&
    (tag === null || typeof tag === 'string') &&
    (blob === null || (typeof blob === 'string' && isBlobName(blob)))
  )
}

/** A list of the cache is smaller. */
const MAX_BYTES = 16 << 20

/** The list that was kept at `path`; null if there is none, or it is not one of ours. */
export function readListing(path: string): Listing | null {
  try {
    if (statSync(path).size > MAX_BYTES) return null
    const { origin, files } = JSON.parse(readFileSync(path, 'utf8')) as Partial<Listing>
    if (typeof origin !== 'object' || !Array.isArray(files) || files.length > MAX_FILES) return null
    return files.every(isListed) ? { origin, files } : null
  } catch {
    return null
  }
}

/** Keeps a small text in the cache; what cannot be kept is asked for again. */
export function keepText(path: string, text: string, mode?: number): void {
  const temporary = temporaryIn(dirname(path))
  try {
    system.makeFolders(dirname(path))
    const descriptor = system.open(temporary, 'wx', mode)
    system.write(descriptor, Buffer.from(text), null)
    system.close(descriptor)
    system.rename(temporary, path)
  } catch {
    // The cache cannot be written: nothing is kept.
  }
}

export const keepListing = (path: string, listing: Listing): void => {
  // An address may hold a signature, which lets others read what its owner may.
  keepText(path, `${JSON.stringify(listing)}\n`, 0o600)
}
