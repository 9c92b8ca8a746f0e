/// <reference lib="dom" />
import { PAGE, type Pages } from './pages.js'
import { systemError } from './system-error.js'

/** Bytes of a file. */
export interface Content {
  readonly size: number
  /** Copies bytes from `offset` on, as many as fit; fewer at the end only. */
  read(offset: number, target: Uint8Array): number
}

/** Bytes that are read at once around a small read. */
const WINDOW = 256 * 1024

/** Content that is read by ranges, of which each costs about the same: small reads share a window. */
abstract class RangedContent implements Content {
  abstract readonly size: number
  #window: Uint8Array = new Uint8Array(0)
  #start = 0

  /** Bytes of a range within the content. */
  protected abstract range(start: number, end: number): Uint8Array

  read(offset: number, target: Uint8Array): number {
    const length = Math.max(0, Math.min(target.length, this.size - offset))
    if (length >= WINDOW) {
      target.set(this.range(offset, offset + length))
      return length
    }
    if (offset < this.#start || offset + length > this.#start + this.#window.length) {
      this.#start = offset
      this.#window = this.range(offset, Math.min(this.size, offset + WINDOW))
    }
    target.set(this.#window.subarray(offset - this.#start, offset - this.#start + length))
    return length
  }
}

/** Reads a blob at once; workers alone have it. */
declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer
}

/** A file or blob, read by slices. */
export class BlobContent extends RangedContent {
  readonly size: number
  readonly #reader = new FileReaderSync()

  constructor(
    readonly blob: Blob,
    readonly path: string,
  ) {
    super()
    this.size = blob.size
  }

  protected range(start: number, end: number): Uint8Array {
    try {
      return new Uint8Array(this.#reader.readAsArrayBuffer(this.blob.slice(start, end)))
    } catch {
      // The file was changed or removed since it was chosen.
      throw systemError('ESTALE', this.path)
    }
  }
}

/** A file on a server, read by ranges; as a whole from a server that gives none, if its size is known. */
export class UrlContent extends RangedContent {
  readonly size: number
  /** The file, from a server without ranges. */
  #whole: Uint8Array | null = null

  /**
   * @param size its bytes; the server is asked if they are unknown
   * @throws Error of the system if it is not there, or is of unknown size and the server gives no ranges of it
   */
  constructor(
    readonly url: string,
    readonly path: string,
    size?: number,
  ) {
    super()
    this.size = size ?? this.#askSize()
  }

  #askSize(): number {
    const answer = this.#ask('bytes=0-0')
    const all = /\/(\d+)$/.exec(answer.getResponseHeader('content-range') ?? '')?.[1]
    if (answer.status === 404) throw systemError('ENOENT', this.path)
    if (answer.status !== 206 || all === undefined) throw systemError('EIO', this.path)
    return Number(all)
  }

  #ask(range: string): XMLHttpRequest {
    const request = new XMLHttpRequest()
    request.open('GET', this.url, false)
    request.responseType = 'arraybuffer'
    request.setRequestHeader('range', range)
    try {
      request.send()
    } catch {
      throw systemError('EIO', this.path)
    }
    return request
  }

  protected range(start: number, end: number): Uint8Array {
    if (this.#whole !== null) return this.#whole.subarray(start, end)
    const answer = this.#ask(`bytes=${start}-${end - 1}`)
    const bytes = new Uint8Array(answer.response as ArrayBuffer)
    if (answer.status === 404) throw systemError('ENOENT', this.path)
    if (answer.status === 200 && bytes.length === this.size) {
      this.#whole = bytes
      return bytes.subarray(start, end)
    }
    if (answer.status !== 206 || bytes.length !== end - start) throw systemError('EIO', this.path)
    return bytes
  }
}

/** Content that is written; what was never written is zero. */
export class WrittenContent implements Content {
  readonly #numbers: number[] = []
  #size = 0

  constructor(readonly pages: Pages) {}

  get size(): number {
    return this.#size
  }

  /** Calls `visit` for each part of a range that lies in one page. */
  #each(offset: number, length: number, visit: (page: number, within: number, done: number, count: number) => void) {
    for (let done = 0; done < length;) {
      const at = offset + done
      const within = at % PAGE
      const count = Math.min(PAGE - within, length - done)
      visit(this.#numbers[Math.floor(at / PAGE)]!, within, done, count)
      done += count
    }
  }

  read(offset: number, target: Uint8Array): number {
    const length = Math.max(0, Math.min(target.length, this.#size - offset))
    this.#each(offset, length, (page, within, done, count) => {
      this.pages.read(page, within, target.subarray(done, done + count))
    })
    return length
  }

  write(offset: number, bytes: Uint8Array): void {
    if (offset > this.#size) this.truncate(offset)
    const end = offset + bytes.length
    while (this.#numbers.length * PAGE < end) this.#numbers.push(this.pages.take())
    this.#each(offset, bytes.length, (page, within, done, count) => {
      this.pages.write(page, within, bytes.subarray(done, done + count))
    })
    this.#size = Math.max(this.#size, end)
  }

  truncate(size: number): void {
    const before = this.#size
    this.#size = Math.min(before, size)
    while ((this.#numbers.length - 1) * PAGE >= size && this.#numbers.length > 0) this.pages.give(this.#numbers.pop()!)
    const zeros = new Uint8Array(Math.min(PAGE, Math.max(0, size - before)))
    for (let at = before; at < size; at += zeros.length) this.write(at, zeros.subarray(0, size - at))
  }
}
