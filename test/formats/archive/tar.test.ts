import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { memoryFiles } from '../../../src/files/memory.js'
import { GzipBytes } from '../../../src/formats/archive/gzip.js'
import { ArchiveLimits } from '../../../src/formats/archive/limits.js'
import { tarMembers, tarOf } from '../../../src/formats/archive/tar.js'
import { RangedFile } from '../../../src/formats/core/file.js'

/** Headers by POSIX.1-1988 (ustar), pax and GNU tar, with what is asked for. */
interface Header {
  readonly name?: string
  readonly prefix?: string
  readonly type?: string
  readonly size?: string | Buffer
  readonly magic?: string
  /** Added to the right checksum. */
  readonly wrong?: number
}

const put = (block: Buffer, at: number, value: string | Buffer): number =>
  Buffer.from(value as string, 'utf8').copy(block, at)

function header({ name = 'a', prefix = '', type = '0', size = '0', magic = 'ustar\x0000', wrong = 0 }: Header): Buffer {
  const block = Buffer.alloc(512)
  put(block, 0, name)
  put(block, 124, typeof size === 'string' ? size.padStart(11, '0') : size)
  put(block, 148, '        ')
  put(block, 156, type)
  put(block, 257, magic)
  put(block, 345, prefix)
  const sum = block.reduce((n, byte) => n + byte, 0) + wrong
  put(block, 148, `${sum.toString(8).padStart(6, '0')}\0 `)
  return block
}

const padded = (data: string | Buffer): Buffer => {
  const bytes = Buffer.from(data as string)
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)])
}
const entry = (fields: Header, data = ''): Buffer =>
  Buffer.concat([header({ size: Buffer.byteLength(data).toString(8), ...fields }), padded(data)])
const END = Buffer.alloc(1024)
const paxLine = (key: string, value: string): string => {
  const rest = ` ${key}=${value}\n`
  let length = Buffer.byteLength(rest) + 1
  while (String(length).length + Buffer.byteLength(rest) !== length) length++
  return `${length}${rest}`
}
const pax = (attributes: Readonly<Record<string, string>>): Buffer =>
  entry(
    { name: 'pax', type: 'x' },
    Object.entries(attributes)
      .map(([key, value]) => paxLine(key, value))
      .join(''),
  )

async function filesOf(
  ...parts: readonly Buffer[]
): Promise<{ files: Record<string, string>; folders: readonly string[] }> {
  const bytes = Buffer.concat(parts)
  const file = new RangedFile(memoryFiles([['a.tar', bytes]]), 'a.tar')
  const { files, folders } = await tarMembers(tarOf(file), new ArchiveLimits('a.tar', bytes.length))
  const texts = [...files].map(([name, entry]) => {
    const { size } = entry
    const opened = entry.open(name)
    const target = new Uint8Array(size)
    expect(opened.read(0, target)).toBe(size)
    expect(opened.read(size, new Uint8Array(4))).toBe(0)
    opened.close()
    expect(() => opened.read(0, target)).toThrow('closed')
    return [name, Buffer.from(target).toString()]
  })
  return { files: Object.fromEntries(texts) as Record<string, string>, folders }
}

const LONG = `${'d'.repeat(60)}/`.repeat(3) + 'model.ckpt.index'

describe('tar', () => {
  it.each<[string, readonly Buffer[], Record<string, string>]>([
    ['files', [entry({ name: 'a' }, 'one'), entry({ name: 'b/c' }, 'two'), END], { a: 'one', 'b/c': 'two' }],
    ['without blocks at its end', [entry({ name: 'a' }, 'one')], { a: 'one' }],
    ['what is behind the end is none of it', [entry({ name: 'a' }, '1'), END, entry({ name: 'b' }, '2')], { a: '1' }],
    ['nothing', [END], {}],
    ['an empty file', [entry({ name: 'a' })], { a: '' }],
    [
      'a file of whole blocks',
      [entry({ name: 'a' }, 'x'.repeat(1024)), entry({ name: 'b' }, 'y')],
      { a: 'x'.repeat(1024), b: 'y' },
    ],
    ['a name in two fields', [entry({ name: 'c', prefix: 'a/b' }, 'x')], { 'a/b/c': 'x' }],
    [
      'a name in two fields of GNU, whose second is no name',
      [entry({ name: 'c', prefix: '123', magic: 'ustar  ' }, 'x')],
      { c: 'x' },
    ],
    ['a path in that field of GNU', [entry({ name: 'c', prefix: 'a/b', magic: 'ustar  ' }, 'x')], { 'a/b/c': 'x' }],
    ['before ustar', [entry({ name: 'c', magic: '', type: '\0' }, 'x')], { c: 'x' }],
    ['contiguous files', [entry({ name: 'c', type: '7' }, 'x')], { c: 'x' }],
    ['devices and pipes are left out', [entry({ name: 'p', type: '6' }), entry({ name: 'c' }, 'x')], { c: 'x' }],
    [
      'a long name of GNU',
      [entry({ name: '@LongLink', type: 'L' }, `${LONG}\0`), entry({ name: 'cut' }, 'x'), entry({ name: 'b' }, 'y')],
      { [LONG]: 'x', b: 'y' },
    ],
    [
      'a long name of pax',
      [pax({ path: LONG }), entry({ name: 'cut' }, 'x'), entry({ name: 'b' }, 'y')],
      { [LONG]: 'x', b: 'y' },
    ],
    [
      'pax before GNU',
      [entry({ name: 'L', type: 'L' }, 'gnu\0'), pax({ path: 'pax' }), entry({ name: 'cut' }, 'x')],
      { pax: 'x' },
    ],
    [
      'a size of pax',
      [pax({ size: '3', mtime: '1.5' }), header({ name: 'a', size: '0' }), padded('one')],
      { a: 'one' },
    ],
    [
      'a size in base 256',
      [header({ name: 'a', size: Buffer.from('800000000000000000000003', 'hex') }), padded('one')],
      { a: 'one' },
    ],
    ['a size with blanks', [header({ name: 'a', size: Buffer.from(' 3 \0') }), padded('one')], { a: 'one' }],
    ['Chinese names', [entry({ name: '模型/词表.txt' }, 'x')], { '模型/词表.txt': 'x' }],
  ])('%s', async (_, parts, right) => {
    expect((await filesOf(...parts)).files).toEqual(right)
  })

  it('lists folders', async () => {
    expect(await filesOf(entry({ name: './a/b/', type: '5' }), entry({ name: './a/c' }, 'x'))).toEqual({
      files: { 'a/c': 'x' },
      folders: ['a/b'],
    })
  })

  it.each<[string, readonly Buffer[], string, string]>([
    ['half a header', [entry({}, 'x'), header({}).subarray(0, 300)], 'it ends early', 'file-truncated'],
    ['a file that is cut off', [entry({}, 'x'.repeat(600)).subarray(0, 1000)], 'it ends early', 'file-truncated'],
    ['a wrong checksum', [header({ wrong: 1 })], 'the checksum of a header is wrong', 'checksum-mismatch'],
    ['a size that is no number', [header({ size: '9x' })], 'a header is damaged', 'header-invalid'],
    ['a size beyond all files', [header({ size: Buffer.alloc(12, 0xff) })], 'a header is damaged', 'header-invalid'],
    ['a size of pax that is no number', [pax({ size: '1e3' }), entry({}, 'x')], 'extended header', 'header-invalid'],
    [
      'a size of pax beyond all files',
      [pax({ size: '99999999999999999999' }), entry({})],
      'extended header',
      'header-invalid',
    ],
    ['a line of pax that is too long', [entry({ type: 'x' }, '99 a=b\n')], 'extended header', 'header-invalid'],
    ['a line of pax without a length', [entry({ type: 'x' }, 'abcdef')], 'extended header', 'header-invalid'],
    ['a line of pax of no length', [entry({ type: 'x' }, '0 a=b\n')], 'extended header', 'header-invalid'],
    [
      'a name that is cut off',
      [entry({ type: 'L' }, 'x'.repeat(600)).subarray(0, 700)],
      'it ends early',
      'file-truncated',
    ],
    [
      'an extension above its limit',
      [header({ type: 'x', size: (65 * 1024).toString(8) })],
      'longer than',
      'limit-exceeded',
    ],
    ['a file twice', [entry({ name: 'a/b' }, 'x'), entry({ name: './a//b' }, 'y')], 'a/b twice', 'header-invalid'],
    ['a path that leaves it', [entry({ name: 'a/../../b' }, 'x')], 'leaves it', 'path-escapes'],
    ['an absolute path', [entry({ name: '/etc/passwd' }, 'x')], 'leaves it', 'path-escapes'],
    ['a drive', [entry({ name: 'C:\\x' }, 'x')], 'leaves it', 'path-escapes'],
    ['a folder that leaves it', [entry({ name: '../x/', type: '5' })], 'leaves it', 'path-escapes'],
    ['a link', [entry({ name: 'a', type: '2' })], 'holds a link', 'path-escapes'],
    ['a hard link', [entry({ name: 'a', type: '1' })], 'holds a link', 'path-escapes'],
    ['folders without end', [entry({ name: 'a/'.repeat(33) }, 'x')], 'folders in one another', 'limit-exceeded'],
  ])('%s is refused', async (_, parts, message, code) => {
    await expect(filesOf(...parts)).rejects.toThrow(message)
    await expect(filesOf(...parts)).rejects.toMatchObject({ name: 'AlbertkitError', code })
  })

  it('more headers than files may be are refused', async () => {
    const many = Array.from({ length: 30_001 }, () => header({ name: 'p', type: '6' }))
    await expect(filesOf(...many)).rejects.toThrow('more than 30000 headers')
    const files = Array.from({ length: 10_001 }, (_, i) => header({ name: `f${i}` }))
    await expect(filesOf(...files)).rejects.toThrow('more than 10000 entries')
  })
})

describe('gzip', () => {
  const DATA = Buffer.from('albert '.repeat(400))
  const plain = gzipSync(DATA)
  /** The same stream with fields in its header (RFC 1952, 2.3.1). */
  const withFields = (flags: number, fields: Buffer): Buffer => {
    const start = Buffer.from(plain.subarray(0, 10))
    start[3] = flags
    return Buffer.concat([start, fields, plain.subarray(10)])
  }
  function unpacked(bytes: Buffer): string {
    const pieces: Buffer[] = []
    const gzip = new GzipBytes(new RangedFile(memoryFiles([['a.gz', bytes]]), 'a.gz'), (piece) => {
      pieces.push(Buffer.from(piece))
    })
    gzip.finish()
    const [first, middle] = [new Uint8Array(6), new Uint8Array(6)]
    expect([gzip.read(0, first), gzip.read(700, middle)]).toEqual([6, 6])
    expect(Buffer.from(first).toString() + Buffer.from(middle).toString()).toBe('albertalbert')
    expect(gzip.read(DATA.length, first)).toBe(0)
    return Buffer.concat(pieces).toString()
  }

  it.each<[string, Buffer]>([
    ['a plain header', plain],
    ['a name', withFields(8, Buffer.from('model.tar\0'))],
    ['a comment', withFields(16, Buffer.from('a comment\0'))],
    ['an extra field', withFields(4, Buffer.from('\x03\0abc'))],
    ['a checksum of the header', withFields(2, Buffer.alloc(2))],
    ['all of them', withFields(30, Buffer.from('\x01\0xname\0comment\0cc'))],
    ['something behind it', Buffer.concat([plain, Buffer.alloc(512)])],
  ])('%s', (_, bytes) => {
    expect(unpacked(bytes)).toBe(DATA.toString())
  })

  const flipped = (at: number, bit = 1): Buffer => {
    const bytes = Buffer.from(plain)
    bytes[(at + bytes.length) % bytes.length]! ^= bit
    return bytes
  }
  it.each<[string, Buffer, string]>([
    ['a file of few bytes', plain.subarray(0, 12), 'file-truncated'],
    ['no gzip', Buffer.alloc(100), 'header-invalid'],
    ['another method', flipped(2), 'header-invalid'],
    ['a name that does not end', withFields(8, Buffer.alloc(0)).map((b) => b || 1) as Buffer, 'header-invalid'],
    ['no trailer', plain.subarray(0, -4), 'file-truncated'],
    ['another checksum', flipped(-8), 'checksum-mismatch'],
    ['another size', flipped(-1), 'checksum-mismatch'],
    ['a second stream', Buffer.concat([plain, plain]), 'compression-unsupported'],
  ])('%s is refused', (_, bytes, code) => {
    expect(() => unpacked(Buffer.from(bytes))).toThrow(
      expect.objectContaining({ name: 'AlbertkitError', code }) as Error,
    )
  })
})
