// Damage to HDF5, TensorFlow Lite, safetensors, .npy and TFRecord files where their structure is.
import { crc32c, maskCrc } from '../../dist/formats/core/checksums.js'
import { joined, mutate, oddNumber, pick, splice } from './bytes.js'
import { mutateJson } from './json.js'
import { mutateWire } from './wire.js'

const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
const encoder = new TextEncoder()

/** Header of safetensors: JSON behind its length, which fits unless it is changed. */
export function mutateSafetensors(bytes, next) {
  const length = Number(viewOf(bytes).getBigUint64(0, true))
  const header = encoder.encode(mutateJson(new TextDecoder().decode(bytes.subarray(8, 8 + length)), next))
  const size = new Uint8Array(8)
  const claimed = next() % 8 === 0 ? oddNumber(header.length, 53, next) : header.length
  viewOf(size).setBigUint64(0, BigInt(claimed), true)
  const data = bytes.subarray(8 + length)
  return joined([size, header, next() % 8 === 0 ? mutate(data, next) : data])
}

const DTYPES = ['<f4', '>f4', '<f2', '<i8', '|b1', '|O', '<U3', '|V8', '<c8', '<f16', '=f4', '|S0', '<M8[s]', '']
const SHAPES = [
  '()',
  '(0,)',
  '(1,)',
  '(2, 3)',
  '(-1,)',
  '(4294967296, 4294967296)',
  '(1.5,)',
  '(3,3,)',
  "('a',)",
  '(0, 99999999999)',
  '3',
]

/** Header of .npy: a dict of Python behind its length. */
export function mutateNpy(bytes, next) {
  const length = viewOf(bytes).getUint16(8, true)
  let text = Buffer.from(bytes.subarray(10, 10 + length)).toString('latin1')
  for (let n = 1 + (next() % 2); n > 0; n--) {
    const kind = next() % 6
    if (kind === 0) text = text.replace(/'descr': '[^']*'/, `'descr': '${pick(DTYPES, next)}'`)
    else if (kind === 1) text = text.replace(/'shape': \([^)]*\)/, `'shape': ${pick(SHAPES, next)}`)
    else if (kind === 2) text = text.replace(/False|True/, pick(['True', 'False', 'None', '1'], next))
    else if (kind === 3)
      text = text.replace(/'descr'|'shape'|'fortran_order'/, pick(["'descr'", "'shape'", "'x'"], next))
    else if (kind === 4) text += ' '.repeat(pick([1, 16, 70000], next))
    else text = Buffer.from(mutate(Buffer.from(text, 'latin1'), next)).toString('latin1')
  }
  const head = bytes.slice(0, 10)
  if (next() % 4 === 0) head[6] = 1 + (next() % 3)
  viewOf(head).setUint16(8, next() % 8 === 0 ? oddNumber(text.length, 16, next) : text.length % 65536, true)
  return joined([head, Buffer.from(text, 'latin1'), bytes.subarray(10 + length)])
}

/** Words of a FlatBuffer: tables, vectors and strings are found by offsets, 32 bits each. */
export function mutateFlatBuffer(bytes, next) {
  const out = bytes.slice()
  const view = viewOf(out)
  const head = Math.min(out.length, 4096)
  const words = Math.floor((next() % 2 === 0 ? head : out.length) / 4)
  for (let n = 1 + (next() % 4); n > 0; n--) {
    const at = 4 * (next() % words)
    const value = view.getUint32(at, true)
    const kind = next() % 6
    if (kind === 0) view.setUint32(at, oddNumber(value, 32, next), true)
    else if (kind === 1) view.setUint32(at, view.getUint32(4 * (next() % words), true), true)
    else if (kind === 2) view.setUint32(at, (value + pick([4, -4, 1, -1, 8, 0x100], next)) >>> 0, true)
    else if (kind === 3) view.setUint16(at + 2 * (next() % 2), oddNumber(view.getUint16(at, true), 16, next), true)
    else if (kind === 4) view.setInt32(at, -(next() % 64), true)
    else out[at + (next() % 4)] = next() % 256
  }
  return next() % 8 === 0 ? mutate(out, next) : out
}

const SIGNATURES = ['TREE', 'SNOD', 'HEAP', 'GCOL', 'OHDR', 'OCHK', 'FRHP', 'BTHD', 'FSHD', 'FADB', 'EAHD']

/** Where the structure of an HDF5 file is: signatures, and object headers of the first version with their messages. */
function structureOf(bytes) {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const places = Array.from({ length: 24 }, (_, i) => 4 * i)
  for (const signature of SIGNATURES)
    for (let at = buffer.indexOf(signature); at !== -1; at = buffer.indexOf(signature, at + 4))
      for (let word = 4; word < 40; word += 4) places.push(at + word)
  const messages = []
  for (let at = 0; at + 16 <= buffer.length; at += 8) {
    const [count, size] = [buffer.readUInt16LE(at + 2), buffer.readUInt32LE(at + 8)]
    const isHeader =
      buffer[at] === 1 && buffer[at + 1] === 0 && count > 0 && count < 64 && buffer.readUInt32LE(at + 4) < 8
    if (!isHeader || size < 8 || size > 4096 || at + 16 + size > buffer.length) continue
    places.push(at, at + 4, at + 8)
    for (let n = at + 16; n + 8 <= at + 16 + size;) {
      const [type, length] = [buffer.readUInt16LE(n), buffer.readUInt16LE(n + 2)]
      if (type > 0x17) break
      messages.push({ at: n, length })
      n += 8 + length
    }
  }
  return { places: places.filter((at) => at + 8 <= buffer.length), messages }
}

const structures = new WeakMap()

/** HDF5: fields behind signatures, and messages of objects (types, spaces, layouts, filters, links). */
export function mutateHdf5(bytes, next) {
  const structure = structures.get(bytes) ?? structureOf(bytes)
  structures.set(bytes, structure)
  const out = bytes.slice()
  const view = viewOf(out)
  for (let n = 1 + (next() % 3); n > 0; n--) {
    const message = structure.messages.length > 0 && next() % 4 > 0 ? pick(structure.messages, next) : null
    const kind = next() % 5
    if (message === null) {
      const at = pick(structure.places, next)
      if (kind < 2) view.setUint32(at, oddNumber(view.getUint32(at, true), 32, next), true)
      else if (kind < 4) view.setBigUint64(at, BigInt(8 * (next() % Math.ceil(bytes.length / 8))), true)
      else out[at + (next() % 4)] = next() % 256
    } else if (kind === 0) view.setUint16(message.at, next() % 0x18, true)
    else if (kind === 1) view.setUint16(message.at + 2, oddNumber(message.length, 16, next), true)
    else if (message.length > 0) {
      const at = message.at + 8 + (next() % message.length)
      if (kind === 2) out[at] = next() % 256
      else if (at + 4 <= out.length && kind === 3)
        view.setUint32(at, oddNumber(view.getUint32(at, true), 32, next), true)
      else {
        const other = pick(structure.messages, next)
        out.set(bytes.subarray(other.at, other.at + Math.min(other.length, message.length) + 8), message.at)
      }
    }
  }
  return out
}

/** Records of a sound TFRecord file. */
function recordsOf(bytes) {
  const records = []
  for (let at = 0; at + 12 <= bytes.length;) {
    const length = Number(viewOf(bytes).getBigUint64(at, true))
    records.push(bytes.subarray(at + 12, at + 12 + length))
    at += 16 + length
  }
  return records
}

const crcOf = (bytes) => {
  const out = new Uint8Array(4)
  viewOf(out).setUint32(0, maskCrc(crc32c(bytes)), true)
  return out
}

/** TFRecord: examples changed by the rules of protocol buffers, lengths; checksums fit. */
export function mutateRecords(bytes, next) {
  const records = recordsOf(bytes)
  const i = next() % records.length
  const kind = next() % 8
  if (kind === 0) records.splice(i, 1)
  else if (kind === 1) records.push(records[i])
  else records[i] = kind === 2 ? mutate(records[i], next) : mutateWire(records[i], next)
  return joined(
    records.flatMap((record) => {
      const length = new Uint8Array(8)
      const claimed = next() % 16 === 0 ? oddNumber(record.length, 53, next) : record.length
      viewOf(length).setBigUint64(0, BigInt(claimed), true)
      return [length, crcOf(length), record, crcOf(record)]
    }),
  )
}

const PIECES = [
  ...[
    '',
    '\ufeff',
    '\u0000',
    '\u001b[31m',
    '\u2028',
    '\u0085',
    '"',
    '""',
    '"a',
    'a"b',
    ',',
    '\t',
    '\r',
    '##a',
    '[MASK]',
  ],
  ...['x'.repeat(5000), '\u0301', '\ud83d', '한', '[unused9]', ' ', '{"text":', 'null', '{"text":"a","label":[]}'],
]

/** Lines of a vocabulary or of texts: repeated, moved, ended in other ways, with odd contents. */
export function mutateLines(bytes, next) {
  const lines = new TextDecoder().decode(bytes).split('\n')
  for (let n = 1 + (next() % 4); n > 0; n--) {
    const i = next() % Math.max(1, lines.length)
    const line = lines[i] ?? ''
    const at = next() % (line.length + 1)
    const kind = next() % 7
    if (kind === 0) lines.splice(i, 1)
    else if (kind === 1) lines.splice(i, 0, ...Array(pick([1, 2, 300], next)).fill(line))
    else if (kind === 2) lines[i] = line.slice(0, at) + pick(PIECES, next) + line.slice(at)
    else if (kind === 3) lines[i] = pick(PIECES, next)
    else if (kind === 4) lines[i] = `${line}\r`
    else if (kind === 5) lines[i] = line + pick(lines, next)
    else lines.splice(next() % (lines.length + 1), 0, line)
  }
  const out = encoder.encode(lines.join('\n'))
  // Bytes that are no UTF-8.
  return next() % 8 === 0 ? splice(out, next() % (out.length + 1), 0, Uint8Array.of(0xff, 0xc0, 0x80)) : out
}
