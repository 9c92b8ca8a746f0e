// Damage to LevelDB tables (a bundle's index, V1 checkpoints): entries, order, blocks; every CRC-32C is right again.
import { crc32c, maskCrc } from '../../dist/formats/core/checksums.js'
import { joined, mutate, oddNumber, pick } from './bytes.js'
import { mutateWire, varint } from './wire.js'

const FOOTER = 48
const MAX_KEY = 1_000_000
const MAGIC = Uint8Array.from(Buffer.from('57fb808b247547db', 'hex'))

function reader(bytes, at = 0) {
  const cursor = { at }
  cursor.varint = () => {
    let [value, scale] = [0, 1]
    for (;;) {
      const byte = bytes[cursor.at++]
      if (byte === undefined) throw new RangeError('no table')
      value += (byte & 127) * scale
      if (byte < 128) return value
      scale *= 128
    }
  }
  cursor.take = (length) => bytes.subarray(cursor.at, (cursor.at += length))
  return cursor
}

/** Entries of a block that is stored as it is. */
function entriesOf(bytes, offset, size) {
  const block = bytes.subarray(offset, offset + size)
  const view = new DataView(block.buffer, block.byteOffset, block.length)
  const end = size - 4 - 4 * view.getUint32(size - 4, true)
  const cursor = reader(block)
  const entries = []
  let key = new Uint8Array(0)
  while (cursor.at < end) {
    const [shared, unshared, length] = [cursor.varint(), cursor.varint(), cursor.varint()]
    key = joined([key.subarray(0, shared), cursor.take(unshared)])
    entries.push({ key, value: cursor.take(length) })
  }
  return entries
}

/** Blocks of a sound table, each a list of entries. */
function blocksOf(bytes) {
  const cursor = reader(bytes, bytes.length - FOOTER)
  cursor.varint()
  cursor.varint()
  const index = entriesOf(bytes, cursor.varint(), cursor.varint())
  return index.map(({ key, value }) => {
    const handle = reader(value)
    return { listed: key, entries: entriesOf(bytes, handle.varint(), handle.varint()) }
  })
}

/** Snappy data that holds bytes as they are, or repeats what came before beyond all measure. */
function snappy(bytes, next) {
  const claimed = next() % 4 === 0 ? oddNumber(bytes.length, 32, next) : bytes.length
  const parts = [varint(claimed)]
  for (let at = 0; at < bytes.length; at += 60) {
    const piece = bytes.subarray(at, at + 60)
    parts.push(Uint8Array.of((piece.length - 1) << 2), piece)
  }
  if (next() % 4 === 0) parts.push(Uint8Array.of(0x3d, next() % 256), Uint8Array.of(0xfe, next() % 256, next() % 256))
  return joined(parts)
}

/** A block: entries that share the beginnings of their keys, restart points, type and checksum. */
function blockBytes(entries, next, odd) {
  const interval = pick([16, 16, 1, 2, 1000], next)
  const parts = []
  const restarts = []
  let [at, last] = [0, new Uint8Array(0)]
  entries.forEach(({ key, value }, i) => {
    let shared = 0
    if (i % interval === 0) restarts.push(at)
    else while (shared < key.length && key[shared] === last[shared]) shared++
    if (odd && next() % 8 === 0) shared = oddNumber(shared, 32, next)
    const rest = key.subarray(Math.min(shared, key.length))
    const claimed = odd && next() % 16 === 0 ? oddNumber(value.length, 32, next) : value.length
    const entry = joined([varint(shared), varint(rest.length), varint(claimed), rest, value])
    parts.push(entry)
    at += entry.length
    last = key
  })
  if (restarts.length === 0) restarts.push(0)
  if (odd && next() % 3 === 0) restarts[next() % restarts.length] = oddNumber(at, 32, next)
  const tail = new Uint8Array(4 * restarts.length + 4)
  const view = new DataView(tail.buffer)
  restarts.forEach((place, i) => view.setUint32(4 * i, place, true))
  view.setUint32(
    4 * restarts.length,
    odd && next() % 4 === 0 ? oddNumber(restarts.length, 32, next) : restarts.length,
    true,
  )
  const body = joined([...parts, tail])
  const isSnappy = next() % 6 === 0
  const stored = joined([isSnappy ? snappy(body, next) : body, Uint8Array.of(isSnappy ? 1 : 0)])
  const trailer = new Uint8Array(4)
  new DataView(trailer.buffer).setUint32(0, maskCrc(crc32c(stored)), true)
  return { bytes: joined([stored, trailer]), size: stored.length - 1 }
}

const EDITS = [
  (list, i, next) => (list[i] = { ...list[i], value: mutateWire(list[i].value, next) }),
  (list, i, next) => (list[i] = { ...list[i], value: mutateWire(list[i].value, next) }),
  (list, i, next) => (list[i] = { ...list[i], key: mutate(list[i].key, next) }),
  (list, i) => list.splice(i, 1),
  (list, i, next) => list.splice(next() % (list.length + 1), 0, list[i]),
  (list, i, next) => (list[i] = { ...list[i], value: pick(list, next).value }),
  (list, i, next) => (list[i] = { ...list[i], key: pick(list, next).key }),
  (list, i, next) => {
    const j = next() % list.length
    ;[list[i], list[j]] = [list[j], list[i]]
  },
  (list, i, next) => {
    const { key } = list[i]
    const times = pick([2, 30, 600], next)
    // Two such edits of one key make gigabytes of it.
    if (key.length * times <= MAX_KEY) list[i] = { ...list[i], key: joined(Array(times).fill(key)) }
  },
]

/** A table with one to three changes to its entries, or to the way in which they are stored. */
export function mutateTable(bytes, next) {
  const blocks = blocksOf(bytes)
  const kind = next() % 4
  if (kind > 0)
    for (let n = 1 + (next() % 3); n > 0; n--) {
      const { entries } = pick(blocks, next)
      if (entries.length > 0) pick(EDITS, next)(entries, next() % entries.length, next)
    }
  if (next() % 3 > 0) for (const { entries } of blocks) entries.sort((a, b) => Buffer.compare(a.key, b.key))
  const odd = kind === 0
  const parts = []
  let at = 0
  const put = (entries, isOdd) => {
    const block = blockBytes(entries, next, isOdd)
    parts.push(block.bytes)
    const handle = { at, size: block.size }
    at += block.bytes.length
    return handle
  }
  const index = blocks.map(({ listed, entries }) => {
    const handle = put(entries, odd)
    const key = entries.length === 0 || next() % 4 > 0 ? listed : entries[entries.length - 1].key
    const [offset, size] =
      odd && next() % 8 === 0 ? [oddNumber(handle.at, 32, next), handle.size] : [handle.at, handle.size]
    return { key, value: joined([varint(offset), varint(odd && next() % 8 === 0 ? oddNumber(size, 32, next) : size)]) }
  })
  if (odd && next() % 8 === 0) index.push(pick(index, next))
  const meta = put([], false)
  const listed = put(index, odd && next() % 2 === 0)
  const footer = new Uint8Array(FOOTER)
  footer.set(joined([meta.at, meta.size, listed.at, listed.size].map(varint)))
  footer.set(MAGIC, 40)
  return joined([...parts, footer])
}
