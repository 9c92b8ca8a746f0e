import { compareBytes, concatBytes, utf8Bytes } from '../../base/bytes.js'
import { create, tensorflow, toBinary } from '../../proto/tensorflow.js'
import { crc32c, maskCrc } from '../core/checksums.js'
import type { DType } from '../core/source.js'

/**
 * Writer of V2 checkpoints with one shard: the data file is streamed, then comes the index with the tensors in the
 * order of their names (tensorflow/core/util/tensor_bundle, tensorflow/core/lib/io/table_builder.cc).
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

/** Builds one block: keys share prefixes, except at restart points. */
class BlockBuilder {
  readonly #parts: Uint8Array[] = []
  readonly #restarts: number[] = [0]
  #size = 0
  #count = 0
  #last: Uint8Array = new Uint8Array(0)

  get size(): number {
    return this.#size
  }

  get lastKey(): Uint8Array {
    return this.#last
  }

  add(key: Uint8Array, value: Uint8Array): void {
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

  finish(): Uint8Array {
    const tail = new Uint32Array([...this.#restarts, this.#restarts.length])
    return concatBytes([...this.#parts, new Uint8Array(tail.buffer)])
  }
}

/** Bytes of a table of `entries`, which are sorted by key. */
function buildTable(entries: readonly (readonly [key: Uint8Array, value: Uint8Array])[]): Uint8Array {
  const parts: Uint8Array[] = []
  let offset = 0
  const put = (block: Uint8Array): Uint8Array => {
    const trailer = new Uint8Array(5)
    const crc = crc32c(trailer.subarray(0, 1), crc32c(block))
    new DataView(trailer.buffer).setUint32(1, maskCrc(crc), true)
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
  const footer = new Uint8Array(48)
  footer.set(handles)
  new DataView(footer.buffer).setBigUint64(40, MAGIC, true)
  return concatBytes([...parts, footer])
}

/** A tensor whose bytes are being written. */
export interface BundleEntry {
  readonly write: (bytes: Uint8Array) => void
  readonly end: () => void
}

export class BundleWriter {
  readonly #entries: (readonly [Uint8Array, Uint8Array])[] = []
  #offset = 0

  /** @param put appends bytes to the data file (`dataFileOf`) */
  constructor(readonly put: (bytes: Uint8Array) => void) {}

  /** Adds a tensor; `write` passes its bytes to `sink`, piece by piece. */
  add(name: string, dtype: DType, shape: readonly number[], write: (sink: (bytes: Uint8Array) => void) => void): void {
    const entry = this.begin(name, dtype, shape)
    write(entry.write)
    entry.end()
  }

  /** Begins a tensor, which must end before the next one begins. */
  begin(name: string, dtype: DType, shape: readonly number[]): BundleEntry {
    const start = this.#offset
    let crc = 0
    const write = (bytes: Uint8Array): void => {
      this.put(bytes)
      crc = crc32c(bytes, crc)
      this.#offset += bytes.length
    }
    const end = (): void => {
      const entry = create(tensorflow.BundleEntryProtoSchema, {
        dtype: DATA_TYPES[dtype] ?? DataType.DT_INVALID,
        shape: { dim: shape.map((size) => ({ size: BigInt(size) })) },
        offset: BigInt(start),
        size: BigInt(this.#offset - start),
        crc32c: maskCrc(crc),
      })
      this.#entries.push([utf8Bytes(name), toBinary(tensorflow.BundleEntryProtoSchema, entry)])
    }
    return { write, end }
  }

  /** The bytes of the `.index` file. */
  finish(): Uint8Array {
    const header = create(tensorflow.BundleHeaderProtoSchema, { numShards: 1, version: { producer: 1 } })
    const sorted = [...this.#entries].sort(([a], [b]) => compareBytes(a, b))
    return buildTable([[new Uint8Array(0), toBinary(tensorflow.BundleHeaderProtoSchema, header)], ...sorted])
  }
}
