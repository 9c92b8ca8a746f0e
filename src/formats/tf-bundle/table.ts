import type { ErrorCode } from '../../base/error-codes.js'
import { malformed, type AlbertkitError } from '../../base/errors.js'
import { crc32c, maskCrc } from '../core/checksums.js'
import type { RangedFile } from '../core/file.js'
import { MemoryBytes, WireReader, type Bytes } from '../tf-proto/wire.js'
import { KeyChain } from './key-chain.js'
import { SnappyError, uncompress } from './snappy.js'

/**
 * Reader of a sorted string table, the format of a checkpoint's index (tensorflow/core/lib/io/table.cc, format.cc;
 * LevelDB's table format): data blocks, an index block that lists them, and a footer of 48 bytes.
 */

const FOOTER_BYTES = 48
const TRAILER_BYTES = 5 // compression type, masked CRC-32C
/** Bytes per step when checksums of large blocks are computed. */
const PIECE = 4 * 1024 * 1024
const MAGIC = 0xdb4775248b80fb57n
/** A block in memory. Blocks are 4 KiB to some 100 KiB, the index of 100,000 tensors takes 10 MB; a forged size is anything. */
const MAX_BLOCK_BYTES = 64 * 1024 * 1024

export interface TableEntry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

export interface Handle {
  readonly offset: number
  readonly size: number
}

/** Location of a value: in the file itself, or in a block of it that had to be uncompressed. */
export interface TablePlace {
  /** Key of the value; valid until the next one. */
  readonly key: Uint8Array
  readonly bytes: Bytes
  readonly start: number
  readonly end: number
  readonly block: Handle
}

class Cursor {
  at = 0
  constructor(
    readonly bytes: Uint8Array,
    readonly fail: (what: string) => AlbertkitError,
  ) {}

  /** Reads a varint below 2^53. */
  varint(): number {
    let value = 0
    let scale = 1
    for (let i = 0; i < 10; i++) {
      const byte = this.bytes[this.at++]
      if (byte === undefined) throw this.fail('a number runs past the end')
      value += (byte & 127) * scale
      if (byte < 128) {
        if (value > Number.MAX_SAFE_INTEGER) throw this.fail('a number is larger than any file')
        return value
      }
      scale *= 128
    }
    throw this.fail('a number has more than ten bytes')
  }

  take(length: number): Uint8Array {
    if (this.at + length > this.bytes.length) throw this.fail('an entry runs past the end of its block')
    return this.bytes.subarray(this.at, (this.at += length))
  }
}

/** TensorFlow looks a key up from the nearest of these points, which are in order and begin with a whole key. */
const RESTARTS = 'a restart point of a block is no entry with a whole key'

function readUint32(bytes: Bytes, offset: number): number {
  const four = new Uint8Array(4)
  bytes.read(offset, four)
  return new DataView(four.buffer).getUint32(0, true)
}

/** True if a file ends with the magic number of such a table. */
export function isTable(file: RangedFile): boolean {
  if (file.size < FOOTER_BYTES) return false
  return new DataView(file.bytes(file.size - 8, 8).buffer).getBigUint64(0, true) === MAGIC
}

export class TableReader {
  readonly #file: RangedFile
  readonly #checksum: boolean
  readonly #what: string

  /** @param what kind of file, for messages */
  constructor(file: RangedFile, checksum: boolean, what = 'index') {
    this.#file = file
    this.#checksum = checksum
    this.#what = what
  }

  #fail(what: string, offset: number, code: ErrorCode = 'header-invalid'): AlbertkitError {
    return malformed(`damaged ${this.#what}: ${what}`, {
      code,
      file: this.#file.path,
      offset,
      hint: this.#what === 'index' ? 'fetch the .index file again' : 'fetch the file again',
    })
  }

  #keys(offset: () => number): KeyChain {
    return new KeyChain((what, code) => this.#fail(what, offset(), code))
  }

  /** All entries in the order of their keys, which are valid until the next one. */
  *entries(): Generator<TableEntry> {
    let at = 0
    const keys = this.#keys(() => at)
    for (const { block, listed } of this.#blocks()) {
      at = block.offset
      yield* this.#block(block, keys)
      keys.endBlock(listed)
      keys.beginBehind(listed)
    }
  }

  /**
   * Locations of the values in the order of their keys. No value is read: those of a V1 checkpoint are whole tensors.
   * The checksums of their blocks are left to `verifyBlock`.
   */
  *places(): Generator<TablePlace> {
    let at = 0
    const keys = this.#keys(() => at)
    for (const { block, listed } of this.#blocks()) {
      const { offset, size } = block
      at = offset
      if (offset + size + TRAILER_BYTES > this.#file.size)
        throw this.#fail(`a block of ${size} bytes runs past the end`, offset)
      const type = this.#file.bytes(offset + size, 1)[0]!
      if (type === 0) yield* this.#placesIn(this.#file, offset, keys, block)
      else {
        if (size > MAX_BLOCK_BYTES) throw this.#fail(`a compressed block of ${size} bytes`, offset, 'limit-exceeded')
        // What is uncompressed now is never read again: it is verified now.
        this.verifyBlock(block)
        const bytes = this.#uncompressed(type, this.#file.bytes(offset, size), offset)
        yield* this.#placesIn(new MemoryBytes(this.#file.path, bytes), 0, keys, block)
      }
      keys.endBlock(listed)
      keys.beginBehind(listed)
    }
  }

  /** Locations in a block that begins at `start` of `bytes`. */
  *#placesIn(bytes: Bytes, start: number, keys: KeyChain, block: Handle): Generator<TablePlace> {
    const fail = (what: string): AlbertkitError => this.#fail(what, block.offset)
    const blockEnd = start + (bytes === this.#file ? block.size : bytes.size)
    if (blockEnd - start < 4) throw fail('a block is too short')
    const count = readUint32(bytes, blockEnd - 4)
    const end = blockEnd - 4 - count * 4
    if (end < start) throw fail('a block has more restart points than room')
    if (end - start > 0 && count === 0) throw fail('a block has no restart points')
    const wire = new WireReader(bytes, 'table')
    let restart = 0
    keys.restart()
    for (let at = start; at < end;) {
      const shared = wire.varint(at)
      const unshared = wire.varint(shared.next)
      const length = wire.varint(unshared.next)
      const value = length.next + unshared.value
      if (shared.value < 0 || unshared.value < 0 || length.value < 0 || value + length.value > end)
        throw fail('an entry runs past the end of its block')
      if (restart < count && readUint32(bytes, end + 4 * restart) === at - start) {
        if (shared.value !== 0) throw fail(RESTARTS)
        restart++
      }
      keys.next(shared.value, wire.small({ start: length.next, end: value }))
      at = value + length.value
      yield { key: keys.key, bytes, start: value, end: at, block }
    }
    if (end > start && restart !== count) throw fail(RESTARTS)
  }

  /** Verifies the CRC-32C of a block of any size. */
  verifyBlock({ offset, size }: Handle): void {
    if (!this.#checksum) return
    const buffer = new Uint8Array(Math.min(PIECE, size + 1))
    let crc = 0
    for (let done = 0; done < size + 1; done += buffer.length) {
      const bytes = buffer.subarray(0, Math.min(buffer.length, size + 1 - done))
      this.#file.read(offset + done, bytes)
      crc = crc32c(bytes, crc)
    }
    const stored = new DataView(this.#file.bytes(offset + size + 1, 4).buffer).getUint32(0, true)
    if (maskCrc(crc) !== stored) throw this.#fail('a block does not have its CRC-32C', offset, 'checksum-mismatch')
  }

  *#blocks(): Generator<{ readonly block: Handle; readonly listed: Uint8Array }> {
    const start = this.#file.size - FOOTER_BYTES
    if (start < 0) throw this.#fail(`${this.#file.size} bytes are too few`, 0, 'file-truncated')
    const footer = this.#file.bytes(start, FOOTER_BYTES)
    if (new DataView(footer.buffer).getBigUint64(40, true) !== MAGIC)
      throw this.#fail('wrong magic number at its end', start + 40)
    const cursor = new Cursor(footer, (what) => this.#fail(what, start))
    this.#handle(cursor) // the metaindex block: TensorFlow writes it empty
    const index = this.#handle(cursor)
    let end = 0
    for (const { key, value } of this.#block(
      index,
      this.#keys(() => index.offset),
    )) {
      const block = this.#handle(new Cursor(value, (what) => this.#fail(what, index.offset)))
      // A table is written block by block; overlapping blocks are an attack on memory.
      if (block.offset < end) throw this.#fail('a block begins before the one in front of it ends', block.offset)
      end = block.offset + block.size
      yield { block, listed: key }
    }
  }

  #handle(cursor: Cursor): Handle {
    return { offset: cursor.varint(), size: cursor.varint() }
  }

  *#block({ offset, size }: Handle, keys: KeyChain): Generator<TableEntry> {
    if (offset + size + TRAILER_BYTES > this.#file.size)
      throw this.#fail(`a block of ${size} bytes runs past the end`, offset)
    if (size > MAX_BLOCK_BYTES) throw this.#fail(`a block of ${size} bytes`, offset, 'limit-exceeded')
    const raw = this.#file.bytes(offset, size + TRAILER_BYTES)
    const stored = new DataView(raw.buffer).getUint32(size + 1, true)
    if (this.#checksum && maskCrc(crc32c(raw.subarray(0, size + 1))) !== stored)
      throw this.#fail('a block does not have its CRC-32C', offset, 'checksum-mismatch')
    const block = this.#uncompressed(raw[size] ?? 0, raw.subarray(0, size), offset)
    const fail = (what: string): AlbertkitError => this.#fail(what, offset)
    if (block.length < 4) throw fail('a block is too short')
    const view = new DataView(block.buffer, block.byteOffset, block.length)
    const count = view.getUint32(block.length - 4, true)
    const end = block.length - 4 - count * 4
    if (end < 0) throw fail('a block has more restart points than room')
    if (end > 0 && count === 0) throw fail('a block has no restart points')
    const cursor = new Cursor(block.subarray(0, end), fail)
    let restart = 0
    keys.restart()
    while (cursor.at < end) {
      const isRestart = restart < count && view.getUint32(end + 4 * restart, true) === cursor.at
      const shared = cursor.varint()
      const unshared = cursor.varint()
      const length = cursor.varint()
      if (isRestart && shared !== 0) throw fail(RESTARTS)
      if (isRestart) restart++
      keys.next(shared, cursor.take(unshared))
      yield { key: keys.key, value: cursor.take(length) }
    }
    if (end > 0 && restart !== count) throw fail(RESTARTS)
  }

  #uncompressed(type: number, bytes: Uint8Array, offset: number): Uint8Array {
    if (type === 0) return bytes
    if (type !== 1) throw this.#fail(`unknown compression ${type}`, offset)
    try {
      return uncompress(bytes, MAX_BLOCK_BYTES)
    } catch (error) {
      if (!(error instanceof SnappyError)) throw error
      throw this.#fail(`a block is not valid snappy data: ${error.message}`, offset)
    }
  }
}
