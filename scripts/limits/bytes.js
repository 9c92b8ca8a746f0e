// Bytes of the containers that the files of kinds.js are made of: as small as a container may be, of any number of entries.
import { crc32, crc32c } from '@node-rs/crc32'
import { deflateRawSync } from 'node:zlib'

export const times = (n, make) => Array.from({ length: n }, (_, i) => make(i))
export const u16 = (value) => Buffer.from([value & 255, value >> 8])
export function u32(value) {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value >>> 0)
  return bytes
}
export function u64(value) {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}
const bytesOf = (part) =>
  typeof part === 'string' ? Buffer.from(part) : Array.isArray(part) ? Buffer.from(part) : part
/** Strings, buffers and lists of bytes, one after the other. */
export const cat = (...parts) =>
  Buffer.concat(parts.flat(Infinity).map((part) => (typeof part === 'number' ? Buffer.from([part]) : bytesOf(part))))

// Protocol buffers.

export function varint(value) {
  const bytes = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  return Buffer.from([...bytes, rest])
}
export const int = (field, value) => cat(varint(field * 8), varint(value))
export function len(field, part) {
  const bytes = bytesOf(part)
  return cat(varint(field * 8 + 2), varint(bytes.length), bytes)
}
export const shapeOf = (shape) => cat(shape.map((size) => len(2, int(1, size))))

// Tables of LevelDB: bundles and V1 checkpoints.

export const masked = (crc) => ((((crc >>> 15) | (crc << 17)) >>> 0) + 0xa282ead8) >>> 0

/** A block of pairs of key and value; with `share` a key has only what differs from the one before. */
export function block(entries, share = true) {
  const out = []
  let last = Buffer.alloc(0)
  for (const [name, value] of entries) {
    const key = bytesOf(name)
    let same = 0
    if (share) while (same < key.length && same < last.length && key[same] === last[same]) same++
    out.push(varint(same), varint(key.length - same), varint(value.length), key.subarray(same), value)
    last = key
  }
  return cat(out, u32(0), u32(1))
}

/** A table of finished blocks `[last key, bytes]`. */
export function tableOf(blocks) {
  const out = []
  let at = 0
  const put = (bytes) => {
    out.push(bytes, Buffer.from([0]), u32(masked(crc32c(Buffer.concat([bytes, Buffer.from([0])])))))
    const handle = cat(varint(at), varint(bytes.length))
    at += bytes.length + 5
    return handle
  }
  const index = blocks.map(([key, bytes]) => [key, put(bytes)])
  const handles = cat(put(block([])), put(block(index, false)))
  return cat(out, handles, Buffer.alloc(40 - handles.length), Buffer.from('57fb808b247547db', 'hex'))
}

/** A table of pairs of key and value, which must ascend. */
export const table = (entries, perBlock = 1000) =>
  tableOf(
    times(Math.ceil(entries.length / perBlock), (i) => {
      const part = entries.slice(i * perBlock, (i + 1) * perBlock)
      return [part.at(-1)[0], block(part)]
    }),
  )

export { crc32c }
export const bundleHeader = (shards = 1) => cat(int(1, shards), len(3, int(1, 1)))
/** Entry of a float32 tensor. */
export const entry = (shape, offset, bytes, shard = 0) =>
  cat(
    int(1, 1),
    len(2, shapeOf(shape)),
    shard === 0 ? '' : int(3, shard),
    int(4, offset),
    int(5, bytes.length),
    [0x35],
    u32(masked(crc32c(bytes))),
  )

// Archives.

/** Files: `{ name, data, compress }`. */
export function zip(files) {
  const [out, directory] = [[], []]
  let at = 0
  for (const { name, data, compress = false } of files) {
    const stored = compress ? deflateRawSync(data) : data
    const own = Buffer.from(name)
    const sizes = [u32(crc32(data)), u32(stored.length), u32(data.length), u16(own.length), u16(0)]
    const same = cat(u16(compress ? 8 : 0), u32(0x00210000), sizes)
    out.push(cat(u32(0x04034b50), u16(20), u16(0), same, own, stored))
    directory.push(
      cat(u32(0x02014b50), u16(0x314), u16(20), u16(0), same, Buffer.alloc(6), u32(0x81a40000), u32(at), own),
    )
    at += 30 + own.length + stored.length
  }
  const bytes = cat(directory)
  return cat(
    out,
    bytes,
    u32(0x06054b50),
    u32(0),
    u16(files.length),
    u16(files.length),
    u32(bytes.length),
    u32(at),
    u16(0),
  )
}

export function tar(files) {
  const out = []
  for (const { name, data } of files) {
    const header = Buffer.alloc(512)
    const octal = (value, length) => `${value.toString(8).padStart(length - 1, '0')}\0`
    const fields = { 0: name, 100: octal(0o644, 8), 124: octal(data.length, 12), 136: octal(0, 12), 148: ' '.repeat(8) }
    for (const [at, text] of Object.entries({ ...fields, 156: '0', 257: 'ustar\x0000' }))
      header.write(text, Number(at), 'latin1')
    header.write(
      `${octal(
        header.reduce((sum, byte) => sum + byte),
        7,
      )} `,
      148,
      'latin1',
    )
    out.push(header, data, Buffer.alloc((512 - (data.length % 512)) % 512))
  }
  return cat(out, Buffer.alloc(1024))
}

// Headers of arrays.

export function safetensors(tensors, more = []) {
  let at = 0
  const fields = tensors.map(([name, shape, { length }]) => {
    at += length
    return `${JSON.stringify(name)}:{"dtype":"F32","shape":[${shape}],"data_offsets":[${at - length},${at}]}`
  })
  const header = Buffer.from(`{${[...fields, ...more].join(',')}}`)
  return cat(
    u64(header.length),
    header,
    tensors.map(([, , data]) => data),
  )
}

export function npy(shape, data) {
  const comma = shape.length === 1 ? ',' : ''
  const fields = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')}${comma}), }`
  return cat(Buffer.from('\x93NUMPY\x01\x00', 'latin1'), u16(118), `${fields.padEnd(117)}\n`, data)
}

// Pickles of PyTorch.

export const str = (text) => cat('X', u32(Buffer.byteLength(text)), text)
export const num = (value) => cat('J', u32(value))
export const put = (n) => cat('r', u32(n))
export const get = (n) => (n < 256 ? cat('h', [n]) : cat('j', u32(n)))
export const pickle = (...parts) => cat([0x80, 2], parts, '.')
const tuple = (numbers) => cat('(', numbers.map(num), 't')
/** A contiguous float32 tensor in the storage `key`. */
export function tensor(key, shape) {
  const count = (dims) => dims.reduce((n, size) => n * size, 1)
  const strides = shape.map((_, axis) => count(shape.slice(axis + 1)))
  const storage = cat('(', str('storage'), 'ctorch\nFloatStorage\n', str(key), str('cpu'), num(count(shape)), 'tQ')
  const made = cat('ctorch._utils\n_rebuild_tensor_v2\n(', storage, num(0), tuple(shape), tuple(strides), [0x89])
  return cat(made, 'ccollections\nOrderedDict\n)RtR')
}
export const torchZip = (data, storages = [Buffer.alloc(4)]) =>
  zip([
    { name: 'a/data.pkl', data },
    { name: 'a/version', data: Buffer.from('3\n') },
    ...storages.map((bytes, key) => ({ name: `a/data/${key}`, data: bytes })),
  ])
