/** Bytes of a page. */
export const PAGE = 256 * 1024

/** Part of `FileSystemSyncAccessHandle` that pages need: a file that a worker reads and writes at once. */
export interface ScratchFile {
  read(target: Uint8Array, options: { readonly at: number }): number
  write(bytes: Uint8Array, options: { readonly at: number }): number
}

/** Pages that are kept in memory before the next ones go to the scratch file: 64 MiB. */
const IN_MEMORY = 256

/**
 * Storage of what is written, in pages: the first ones in memory, the others in a file of the browser, if it gives one,
 * so that memory does not grow with the output.
 */
export class Pages {
  /** Pages in memory by their numbers; those of the scratch file have none. */
  readonly #held = new Map<number, Uint8Array>()
  readonly #free: number[] = []
  #next = 0

  constructor(readonly scratch: ScratchFile | null) {}

  /** Number of pages in memory. */
  get held(): number {
    return this.#held.size
  }

  /** Takes a page, whose contents are undefined. */
  take(): number {
    const page = this.#free.pop() ?? this.#next++
    if (this.scratch === null || this.#held.size < IN_MEMORY) this.#held.set(page, new Uint8Array(PAGE))
    return page
  }

  /** Gives a page back. */
  give(page: number): void {
    this.#held.delete(page)
    this.#free.push(page)
  }

  read(page: number, offset: number, target: Uint8Array): void {
    const held = this.#held.get(page)
    if (held !== undefined) target.set(held.subarray(offset, offset + target.length))
    else this.scratch?.read(target, { at: page * PAGE + offset })
  }

  write(page: number, offset: number, bytes: Uint8Array): void {
    const held = this.#held.get(page)
    if (held !== undefined) held.set(bytes, offset)
    else this.scratch?.write(bytes, { at: page * PAGE + offset })
  }
}
