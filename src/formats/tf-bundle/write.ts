import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { create, tensorflow, toBinary } from '../../proto/tensorflow.js'
import { crcOf, maskCrc } from '../core/crc32c.js'
import type { DType } from '../core/source.js'
import { shardPath } from './source.js'

/**
 * Writer of V2 checkpoints with one shard: the data file as it comes, then an index with the tensors in order of
 * their names (tensorflow/core/util/tensor_bundle, tensorflow/core/lib/io/table_builder.cc).
 */

const RESTART_INTERVAL = 16
const BLOCK_BYTES = 256 * 1024
const MAGIC = 0xdb4775248b80fb57n

const { DataType } = tensorflow
const DATA_TYPES: Readonly<Partial<Record<DType, tensorflow.DataType>>> = {
  F32: DataType.DT_FLOAT,
  F64: DataType.DT_DOUBLE,
  F16: DataType.DT_HALF,
  BF16: DataType.DT_BFLOAT16,
  I32: DataType.DT_INT32,
  I64: DataType.DT_INT64,
}

function varint(n: number): number[] {
  const bytes: number[] = []
  let rest = n
  while (rest >= 128) {
    bytes.push((rest % 128) | 128)
    rest = Math.floor(rest / 128)
  }
  return [...bytes, rest]
}

/** Entries of one block: keys share prefixes, except at restart points. */
class BlockBuilder {
  readonly #parts: Uint8Array[] = []
  readonly #restarts: number[] = [0]
  #size = 0
  #count = 0
  #last: Buffer = Buffer.alloc(0)

  get size(): number {
    return this.#size
  }

  get lastKey(): Buffer {
    return this.#last
  }

  add(key: Buffer, value: Uint8Array): void {
    let shared = 0
    if (this.#count % RESTART_INTERVAL !== 0) {
      while (shared < key.length && shared < this.#last.length && key[shared] === this.#last[shared]) shared++
    } else if (this.#count > 0) this.#restarts.push(this.#size)
    const head = Uint8Array.from([...varint(shared), ...varint(key.length - shared), ...varint(value.length)])
    for (const part of [head, key.subarray(shared), value]) {
      this.#parts.push(part)
      this.#size += part.length
    }
    this.#last = key
    this.#count++
  }

  finish(): Buffer {
    const tail = new Uint32Array([...this.#restarts, this.#restarts.length])
    return Buffer.concat([...this.#parts, new Uint8Array(tail.buffer)])
  }
}

/** A table of `entries`, sorted by key. */
function buildTable(entries: readonly (readonly [key: Buffer, value: Uint8Array])[]): Buffer {
  const parts: Buffer[] = []
  let offset = 0
  const put = (block: Buffer): Uint8Array => {
    const trailer = Buffer.alloc(5)
    trailer.writeUInt32LE(maskCrc(crcOf(Buffer.concat([block, trailer.subarray(0, 1)]))), 1)
    const handle = Uint8Array.from([...varint(offset), ...varint(block.length)])
    parts.push(block, trailer)
    offset += block.length + trailer.length
    return handle
  }
  const index = new BlockBuilder()
  let block = new BlockBuilder()
  for (const [key, value] of entries) {
    block.add(key, value)
    if (block.size < BLOCK_BYTES) continue
    index.add(block.lastKey, put(block.finish()))
    block = new BlockBuilder()
  }
  if (block.size > 0) index.add(block.lastKey, put(block.finish()))
  const meta = put(new BlockBuilder().finish())
  const handles = Uint8Array.from([...meta, ...put(index.finish())])
  const footer = Buffer.alloc(48)
  footer.set(handles)
  footer.writeBigUInt64LE(MAGIC, 40)
  return Buffer.concat([...parts, footer])
}

export class BundleWriter {
  readonly #prefix: string
  /** The file of the tensors' bytes. */
  readonly dataFile: string
  readonly #descriptor: number
  readonly #entries: (readonly [Buffer, Uint8Array])[] = []
  #offset = 0
  #open = true

  constructor(prefix: string) {
    this.#prefix = prefix
    this.dataFile = shardPath(prefix, 0, 1)
    this.#descriptor = openSync(this.dataFile, 'w')
  }

  /** Adds a tensor whose bytes `write` gives to `sink`, piece by piece. */
  add(name: string, dtype: DType, shape: readonly number[], write: (sink: (bytes: Uint8Array) => void) => void): void {
    const start = this.#offset
    let crc = 0
    write((bytes) => {
      for (let done = 0; done < bytes.length;) done += writeSync(this.#descriptor, bytes, done)
      crc = crcOf(bytes, crc)
      this.#offset += bytes.length
    })
    const entry = create(tensorflow.BundleEntryProtoSchema, {
      dtype: DATA_TYPES[dtype] ?? DataType.DT_INVALID,
      shape: { dim: shape.map((size) => ({ size: BigInt(size) })) },
      offset: BigInt(start),
      size: BigInt(this.#offset - start),
      crc32c: maskCrc(crc),
    })
    this.#entries.push([Buffer.from(name), toBinary(tensorflow.BundleEntryProtoSchema, entry)])
  }

  /** Closes the data file; the index is written by `finish` alone. */
  close(): void {
    if (this.#open) closeSync(this.#descriptor)
    this.#open = false
  }

  /** Writes the index and closes the data file. */
  finish(): void {
    this.close()
    const header = create(tensorflow.BundleHeaderProtoSchema, { numShards: 1, version: { producer: 1 } })
    const sorted = [...this.#entries].sort(([a], [b]) => Buffer.compare(a, b))
    const entries = [[Buffer.alloc(0), toBinary(tensorflow.BundleHeaderProtoSchema, header)] as const, ...sorted]
    writeFileSync(`${this.#prefix}.index`, buildTable(entries))
  }
}
