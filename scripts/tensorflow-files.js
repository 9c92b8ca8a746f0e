// Writers of the TensorFlow containers that albertkit only reads, for tests and for measuring: a V1 checkpoint and a
// frozen graph, streamed, of any size below the 2 GiB of a protocol buffer.
import { crc32c } from '@node-rs/crc32'
import { closeSync, openSync, writeSync } from 'node:fs'

const PIECE = 4 * 1024 * 1024
const MAGIC = Buffer.from('57fb808b247547db', 'hex')

function varint(n) {
  const bytes = []
  let rest = n
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  return Buffer.from([...bytes, rest])
}
const tag = (number, wire) => varint(number * 8 + wire)
/** A field of bytes, of which the last `more` are written later. */
const bytesField = (number, bytes, more = 0) => Buffer.concat([tag(number, 2), varint(bytes.length + more), bytes])
const numberField = (number, value) => Buffer.concat([tag(number, 0), varint(value)])
const shapeOf = (shape) => Buffer.concat(shape.map((d) => bytesField(2, numberField(1, d))))
const size = (shape) => shape.reduce((n, d) => n * d, 4)
const mask = (crc) => ((((crc >>> 15) | (crc << 17)) >>> 0) + 0xa282ead8) >>> 0

class Out {
  at = 0
  crc = 0
  constructor(path) {
    this.descriptor = openSync(path, 'w')
  }

  put(bytes) {
    for (let done = 0; done < bytes.length;) done += writeSync(this.descriptor, bytes, done)
    this.crc = crc32c(bytes, this.crc)
    this.at += bytes.length
  }

  pour(source, name, start, length) {
    const buffer = Buffer.alloc(Math.min(PIECE, length))
    for (let done = 0; done < length; done += PIECE) {
      const piece = buffer.subarray(0, Math.min(PIECE, length - done))
      source.read(name, start + done, piece)
      this.put(piece)
    }
  }

  /** Ends a table's block: restart points, no compression, masked CRC-32C of it all. Returns its handle. */
  endBlock(start) {
    this.put(Buffer.from([0, 0, 0, 0, 1, 0, 0, 0]))
    const handle = Buffer.concat([varint(start), varint(this.at - start)])
    this.put(Buffer.from([0]))
    const trailer = Buffer.alloc(4)
    trailer.writeUInt32LE(mask(this.crc))
    this.put(trailer)
    return handle
  }

  block(body) {
    const start = this.at
    this.crc = 0
    body()
    return this.endBlock(start)
  }
}

const slicesOf = ([first, ...rest], rows) => {
  if (rows === undefined || first === undefined || rest.length === 0) return [null]
  const slices = []
  for (let start = 0; start < first; start += rows) slices.push({ start, length: Math.min(rows, first - start) })
  return slices
}
const sliceProto = (shape, slice) =>
  Buffer.concat(
    shape.map((_, axis) =>
      axis === 0 && slice !== null
        ? bytesField(1, Buffer.concat([numberField(1, slice.start), numberField(2, slice.length)]))
        : bytesField(1, Buffer.alloc(0)),
    ),
  )
/** OrderedCode of a number: its length in leading ones, then the number (tensorflow/core/lib/strings/ordered_code.cc). */
const ordered = (n) => {
  if (n === -1) return Buffer.from([0x7f])
  let length = 1
  while (n >= 2 ** (7 * length - 1)) length++
  const bytes = Buffer.alloc(length)
  bytes.writeUIntBE(n, 0, length)
  bytes[0] |= 256 - 2 ** (8 - length)
  return bytes
}
/** Key of a slice of a tensor whose name has no bytes 0 and 255. */
const sliceKey = (name, shape, slice) =>
  Buffer.concat([
    Buffer.from([0]),
    Buffer.from(name),
    Buffer.from(shape.length === 0 ? [0, 1, 0] : [0, 1, 1, shape.length]),
    ...shape.flatMap((_, axis) =>
      axis === 0 && slice !== null ? [ordered(slice.start), ordered(slice.length)] : [ordered(0), ordered(-1)],
    ),
  ])
const isFloat32 = ({ dtype }) => dtype === 'F32'

export function writeV1(path, source, { rows } = {}) {
  const out = new Out(path)
  const tensors = [...source.tensors.values()].filter(isFloat32)
  const handles = []
  const meta = tensors.map(({ name, shape }) => {
    const slices = slicesOf(shape, rows).map((slice) => bytesField(4, sliceProto(shape, slice)))
    const fields = [bytesField(1, Buffer.from(name)), bytesField(2, shapeOf(shape)), numberField(3, 1), ...slices]
    return bytesField(1, Buffer.concat(fields))
  })
  handles.push(
    out.block(() => {
      const value = bytesField(1, Buffer.concat(meta))
      out.put(Buffer.concat([varint(0), varint(0), varint(value.length), value]))
    }),
  )
  const entries = tensors.flatMap(({ name, shape }) =>
    slicesOf(shape, rows).map((slice) => ({ name, shape, slice, key: sliceKey(name, shape, slice) })),
  )
  const keys = [Buffer.alloc(0)]
  for (const { name, shape, slice, key } of entries.sort((a, b) => Buffer.compare(a.key, b.key))) {
    const row = size(shape.slice(1))
    const length = slice === null ? size(shape) : slice.length * row
    const values = Buffer.concat([tag(5, 2), varint(length)])
    const head = Buffer.concat([bytesField(1, Buffer.from(name)), bytesField(2, sliceProto(shape, slice))])
    const data = bytesField(3, values, length)
    const saved = bytesField(2, Buffer.concat([head, data]), length)
    keys.push(key)
    handles.push(
      out.block(() => {
        out.put(Buffer.concat([varint(0), varint(key.length), varint(saved.length + length), key, saved]))
        out.pour(source, name, (slice?.start ?? 0) * row, length)
      }),
    )
  }
  const metaindex = out.block(() => undefined)
  const index = out.block(() => {
    handles.forEach((handle, i) => {
      const key = keys[i]
      out.put(Buffer.concat([varint(0), varint(key.length), varint(handle.length), key, handle]))
    })
  })
  const footer = Buffer.alloc(48)
  Buffer.concat([metaindex, index]).copy(footer)
  MAGIC.copy(footer, 40)
  out.put(footer)
  closeSync(out.descriptor)
}

export function writeGraphDef(path, source) {
  const out = new Out(path)
  for (const { name, shape } of [...source.tensors.values()].filter(isFloat32)) {
    const length = size(shape)
    // dtype and tensor_shape, then tensor_content: the bytes.
    const content = Buffer.concat([tag(4, 2), varint(length)])
    const tensor = Buffer.concat([numberField(1, 1), bytesField(2, shapeOf(shape)), content])
    const value = bytesField(8, tensor, length)
    const attribute = Buffer.concat([bytesField(1, Buffer.from('value')), bytesField(2, value, length)])
    const node = [
      bytesField(1, Buffer.from(name)),
      bytesField(2, Buffer.from('Const')),
      bytesField(5, attribute, length),
    ]
    out.put(bytesField(1, Buffer.concat(node), length))
    out.pour(source, name, 0, length)
  }
  closeSync(out.descriptor)
}
