// Zip archives, written here so that every field can be wrong, each alone.
import { deflateRawSync } from 'node:zlib'
import { crc32 } from '../../dist/formats/core/checksums.js'
import { joined, mutate, oddNumber, pick } from './bytes.js'

const encoder = new TextEncoder()
const NAMES = ['../x', '/x', '', 'a\\b', 'a/', '\u0000', './a', 'A', 'a//b', 'CON', '__MACOSX/a', '.DS_Store']

/** Fields of a header with their widths in bytes: those before the name, after the signature. */
const LOCAL = [
  ['version', 2],
  ['flags', 2],
  ['method', 2],
  ['time', 4],
  ['crc', 4],
  ['stored', 4],
  ['size', 4],
  ['nameLength', 2],
  ['extraLength', 2],
]
const CENTRAL = [
  ...[['madeBy', 2], ...LOCAL],
  ...[
    ['commentLength', 2],
    ['disk', 2],
    ['internal', 2],
    ['external', 4],
    ['offset', 4],
  ],
]
const END = [
  ['disk', 2],
  ['startDisk', 2],
  ['here', 2],
  ['count', 2],
  ['bytes', 4],
  ['offset', 4],
  ['commentLength', 2],
]

function header(signature, fields, values) {
  const out = Buffer.alloc(4 + fields.reduce((n, [, width]) => n + width, 0))
  out.writeUInt32LE(signature)
  let at = 4
  for (const [name, width] of fields) {
    out.writeUIntLE((values[name] ?? 0) % 256 ** width, at, width)
    at += width
  }
  return out
}

/** A zip of members `{ name, data, deflate?, local?, central?, packed? }`; `local` and `central` replace fields. */
export function zipOf(members, { end = {}, align = 1, comment = '' } = {}) {
  const parts = []
  const directory = []
  let at = 0
  const put = (...bytes) => {
    for (const piece of bytes) {
      parts.push(piece)
      at += piece.length
    }
  }
  for (const { name, data, deflate = false, local = {}, central = {}, packed } of members) {
    const nameBytes = encoder.encode(name)
    const bytes = packed ?? (deflate ? deflateRawSync(data) : data)
    const values = {
      ...{ version: 20, madeBy: 20, method: deflate ? 8 : 0, crc: crc32(data), stored: bytes.length },
      ...{ size: data.length, nameLength: nameBytes.length, offset: at },
    }
    // Like torch.save, which aligns the bytes of storages by an extra field.
    const extra = align === 1 ? 0 : (align - ((at + 30 + nameBytes.length) % align)) % align
    const padding = Buffer.alloc(extra < 4 ? (extra === 0 ? 0 : extra + align) : extra)
    if (padding.length > 0) padding.writeUInt16LE(padding.length - 4, 2)
    put(header(0x04034b50, LOCAL, { ...values, extraLength: padding.length, ...local }), nameBytes, padding, bytes)
    directory.push(header(0x02014b50, CENTRAL, { ...values, ...central }), nameBytes)
  }
  const offset = at
  put(...directory)
  const counts = { here: members.length, count: members.length, bytes: at - offset, offset }
  put(header(0x06054b50, END, { ...counts, commentLength: comment.length, ...end }), Buffer.from(comment))
  return joined(parts)
}

const FIELDS = ['flags', 'method', 'crc', 'stored', 'size', 'nameLength', 'extraLength', 'offset', 'external', 'madeBy']

const EDITS = [
  (list, i) => list.splice(i, 1),
  (list, i, next) => list.splice(next() % (list.length + 1), 0, list[i]),
  (list, i, next) => (list[i] = { ...list[i], deflate: next() % 2 === 0 }),
  (list, i, next) => (list[i] = { ...list[i], name: pick([...NAMES, ...list.map(({ name }) => name)], next) }),
  (list, i, next) => {
    const change = { [pick(FIELDS, next)]: oddNumber(list[i].data.length, 32, next) }
    const where = pick([['local'], ['central'], ['local', 'central']], next)
    list[i] = { ...list[i], ...Object.fromEntries(where.map((name) => [name, change])) }
  },
  (list, i) => (list[i] = { ...list[i], local: { crc: 0 }, central: { crc: 0 } }),
  (list, i, next) => (list[i] = { ...list[i], deflate: true, packed: mutate(deflateRawSync(list[i].data), next) }),
  (list, i, next) => (list[i] = { ...list[i], data: mutate(list[i].data, next) }),
  (list, i, next) => (list[i] = { ...list[i], data: pick(list, next).data }),
]

/**
 * A zip of sound members with changes; their checksums fit, unless those are changed.
 * @param inner damages the bytes of a member by its rules: `(name, data, next) => data`
 */
export function mutateZip(members, next, { inner = (_, data, n) => mutate(data, n), ...options } = {}) {
  const list = [...members]
  const end = {}
  for (let n = 1 + (next() % 3); n > 0; n--) {
    if (list.length === 0) break
    const i = next() % list.length
    const kind = next() % 8
    if (kind < 4) list[i] = { ...list[i], data: inner(list[i].name, list[i].data, next) }
    else if (kind === 4) end[pick(END, next)[0]] = oddNumber(list.length, 32, next)
    else pick(EDITS, next)(list, i, next)
  }
  const comment = next() % 8 === 0 ? 'PK\u0005\u0006 a comment' : ''
  return zipOf(list, { ...options, end, comment })
}
