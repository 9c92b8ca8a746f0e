import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { unreadable, usage } from '../base/errors.js'
import { addSource } from '../base/sources.js'
import { WINDOW } from './window.js'

/** Part of a file of lines that one job computes. */
export interface Shard {
  /** Counts from 0. */
  readonly index: number
  readonly count: number
  /** Offset of the first byte, and number of bytes. */
  readonly offset: number
  readonly bytes: number
  /** Number of its first line, counted from 1, and number of lines. */
  readonly firstLine: number
  readonly lines: number
  readonly sha256: string
}

/** Positions of the shards of a file of lines, with the file's checksum and size. */
export interface LineIndex {
  readonly sha256: string
  readonly bytes: number
  readonly lines: number
  readonly shards: readonly Shard[]
}

const LINE_FEED = 10
export const MAX_SHARDS = 1_000_000

/** Collects the shards while the bytes of the file are read. */
class Cutter {
  readonly #shards: Shard[] = []
  readonly #whole = createHash('sha256')
  #own: Hash = createHash('sha256')
  #offset = 0
  #start = 0
  #firstLine = 1
  /** Lines that have begun. */
  #lines = 0
  #atLineStart = true

  constructor(
    readonly bytes: number,
    readonly count: number,
    readonly window: number,
    /** Offsets at which a shard may begin; by default the start of every window of lines. */
    readonly starts?: ReadonlySet<number>,
  ) {}

  #close(): void {
    this.#shards.push({
      index: this.#shards.length,
      count: this.count,
      offset: this.#start,
      bytes: this.#offset - this.#start,
      firstLine: this.#firstLine,
      lines: this.#lines + 1 - this.#firstLine,
      sha256: this.#own.digest('hex'),
    })
    this.#own = createHash('sha256')
    this.#start = this.#offset
    this.#firstLine = this.#lines + 1
  }

  /** Ends the current shard at the start of a window if the next shard's share of the bytes begins at or before it. */
  #cut(): void {
    while (this.#shards.length + 1 < this.count && this.#offset * this.count >= (this.#shards.length + 1) * this.bytes)
      this.#close()
  }

  #begin(): void {
    if (this.#offset > 0 && (this.starts?.has(this.#offset) ?? this.#lines % this.window === 0)) this.#cut()
    this.#lines += 1
  }

  #take(bytes: Uint8Array): void {
    this.#own.update(bytes)
    this.#offset += bytes.length
  }

  add(chunk: Buffer): void {
    this.#whole.update(chunk)
    for (let at = 0; at < chunk.length;) {
      if (this.#atLineStart) this.#begin()
      const feed = chunk.indexOf(LINE_FEED, at)
      const end = feed === -1 ? chunk.length : feed + 1
      this.#take(chunk.subarray(at, end))
      this.#atLineStart = feed !== -1
      at = end
    }
  }

  addRecord(framed: Uint8Array): void {
    this.#whole.update(framed)
    this.#begin()
    this.#take(framed)
  }

  finish(): LineIndex {
    while (this.#shards.length < this.count) this.#close()
    return { sha256: this.#whole.digest('hex'), bytes: this.#offset, lines: this.#lines, shards: this.#shards }
  }
}

function checkCount(count: number): void {
  if (!Number.isInteger(count) || count < 1 || count > MAX_SHARDS)
    throw usage(`the number of shards cannot be ${count}`, {
      code: 'option-invalid',
      hint: `choose 1 to ${MAX_SHARDS}`,
    })
}

/**
 * Cuts a file of records into `count` shards, as `indexLines` does for lines.
 * @param records every record of the file, each with its framing bytes
 * @param bytes size of the file
 * @throws AlbertkitError `usage` if `count` is not a valid number of shards, and errors of reading the records
 */
export async function indexRecords(
  records: AsyncIterable<{ readonly framed: Uint8Array }>,
  bytes: number,
  count: number,
  window = WINDOW,
): Promise<LineIndex> {
  checkCount(count)
  const cutter = new Cutter(bytes, count, window)
  for await (const { framed } of records) cutter.addRecord(framed)
  return cutter.finish()
}

/**
 * Cuts a file of lines into `count` shards of about the same number of bytes, in one pass; shards of a short file may
 * be empty.
 * @param starts offsets at which a shard may begin; by default the start of every window of lines
 * @throws AlbertkitError `usage` if the file cannot be read or `count` is not a valid number of shards
 */
export async function indexLines(
  file: string,
  count: number,
  window = WINDOW,
  starts?: ReadonlySet<number>,
): Promise<LineIndex> {
  checkCount(count)
  try {
    addSource(file)
    const cutter = new Cutter((await stat(file)).size, count, window, starts)
    for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) cutter.add(chunk as Buffer)
    return cutter.finish()
  } catch (error) {
    throw unreadable('the lines', file, error)
  }
}
