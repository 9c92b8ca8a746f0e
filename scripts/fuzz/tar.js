// Tar archives and gzip, written here so that every field can be wrong, each alone.
import { gzipSync } from 'node:zlib'
import { joined, mutate, pick } from './bytes.js'

const BLOCK = 512
const FIELDS = {
  name: [0, 100],
  mode: [100, 8],
  size: [124, 12],
  checksum: [148, 8],
  type: [156, 1],
  link: [157, 100],
  magic: [257, 8],
  prefix: [345, 155],
}
const NAMES = ['../x', '/x', '', 'a/', './a', 'a//b', '..', '\u00ff', 'a\\b', 'x'.repeat(100)]
const NUMBERS = [
  '',
  '0',
  '7',
  '00000000009',
  '77777777777',
  '-1',
  '1e3',
  '0x10',
  ' 12 ',
  '\u0080\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0001',
  '\u00ff'.repeat(12),
  '\u0080\u007f' + '\u00ff'.repeat(10),
]
const PAX = [
  'path=a',
  'path=../x',
  'path=',
  'size=0',
  'size=-512',
  'size=1e3',
  'size=abc',
  'size=9007199254740993',
  'size=1.5',
  'size=',
  'size=0x200',
  '=',
  'linkpath=x',
  'path=\u0000',
  'comment=x',
]

const octal = (value, width) => value.toString(8).padStart(width - 1, '0')

/** An entry: its header, whose checksum fits unless it is changed, and its bytes. */
function entryBytes({ name, data, fields = {} }) {
  const header = Buffer.alloc(BLOCK)
  const values = {
    name,
    mode: octal(0o644, 8),
    size: octal(data.length, 12),
    type: '0',
    magic: 'ustar\u000000',
    ...fields,
  }
  for (const [field, [at, width]] of Object.entries(FIELDS))
    if (values[field] !== undefined) Buffer.from(values[field], 'latin1').copy(header, at, 0, width)
  if (fields.checksum === undefined) {
    header.fill(32, 148, 156)
    const sum = header.reduce((n, byte) => n + byte, 0)
    header.write(`${octal(sum, 7)}\0 `, 148, 'latin1')
  }
  return joined([header, data, Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK)])
}

const tarOf = (entries) => joined([...entries.map(entryBytes), Buffer.alloc(2 * BLOCK)])

/** A line of a pax header, its length first. */
function paxLine(text) {
  const body = Buffer.byteLength(text) + 2
  let length = body + String(body).length
  while (String(length).length + body !== length) length++
  return `${length} ${text}\n`
}

const EDITS = [
  (list, i) => list.splice(i, 1),
  (list, i, next) => list.splice(next() % (list.length + 1), 0, list[i]),
  (list, i, next) => (list[i] = { ...list[i], name: pick([...NAMES, ...list.map(({ name }) => name)], next) }),
  (list, i, next) => (list[i] = { ...list[i], fields: { ...list[i].fields, size: pick(NUMBERS, next) } }),
  (list, i, next) => (list[i] = { ...list[i], fields: { ...list[i].fields, checksum: pick(NUMBERS, next) } }),
  (list, i, next) =>
    (list[i] = {
      ...list[i],
      fields: { ...list[i].fields, type: pick([...'\u000001234567xgLKSDVA'], next), link: pick(NAMES, next) },
    }),
  (list, i, next) =>
    (list[i] = {
      ...list[i],
      fields: { ...list[i].fields, prefix: pick(NAMES, next), magic: pick(['ustar  \u0000', 'x'], next) },
    }),
  (list, i, next) => {
    const lines = Array.from({ length: 1 + (next() % 3) }, () => paxLine(pick(PAX, next))).join('')
    const text = next() % 4 === 0 ? lines.replace(/^\d+/, pick(['0', '4', '99999', '', '-1', '1e1'], next)) : lines
    list.splice(i, 0, { name: 'pax', data: Buffer.from(text), fields: { type: pick(['x', 'x', 'g'], next) } })
  },
  (list, i, next) =>
    list.splice(i, 0, {
      name: 'long',
      data: Buffer.from(`${pick(NAMES, next).repeat(1 + (next() % 40))}\0`),
      fields: { type: 'L' },
    }),
]

/** A tar of sound entries with changes, plain or in gzip, whose trailer may be wrong too. */
export function mutateTar(members, next, inner = (_, data, n) => mutate(data, n)) {
  const list = [...members]
  for (let n = 1 + (next() % 3); n > 0; n--) {
    if (list.length === 0) break
    const i = next() % list.length
    if (next() % 4 === 0) list[i] = { ...list[i], data: inner(list[i].name, list[i].data, next) }
    else pick(EDITS, next)(list, i, next)
  }
  const tar = tarOf(list)
  return next() % 4 === 0 ? mutate(tar, next) : tar
}

/** The same in gzip: a trailer, a header or a second member that is wrong. */
export function mutateTarGz(members, next, inner) {
  const bytes = new Uint8Array(gzipSync(mutateTar(members, next, inner), { level: 1 }))
  const kind = next() % 6
  if (kind === 0) return mutate(bytes, next)
  if (kind === 1) bytes[bytes.length - 1 - (next() % 8)] ^= 1 << (next() % 8)
  if (kind === 2) bytes[3] = next() % 32
  if (kind === 3) return joined([bytes, pick([bytes, Buffer.alloc(9), Buffer.from([31, 139])], next)])
  return bytes
}

export { tarOf }
