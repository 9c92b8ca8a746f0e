import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { disk } from '../../src/files/disk.js'
import { memoryFiles } from '../../src/files/memory.js'
import { exists, isReachable, type FilePort } from '../../src/formats/core/file-port.js'

const CONTENTS = { 'config.json': '{}', 'tf/model.index': 'index', 'tf/deep/data': '0123456789' }

let root: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'albertkit-port-'))
  mkdirSync(join(root, 'tf/deep'), { recursive: true })
  for (const [path, text] of Object.entries(CONTENTS)) writeFileSync(join(root, path), text)
})
afterAll(() => {
  rmSync(root, { recursive: true, force: true })
})

const inMemory = (): FilePort =>
  memoryFiles(Object.entries(CONTENTS).map(([path, text]) => [join(root, path), Buffer.from(text)] as const))

describe.each([
  ['the disk', (): FilePort => disk],
  ['the memory', inMemory],
])('%s as a port', (_, make) => {
  it('knows files and folders', () => {
    const files = make()
    expect(files.stat(join(root, 'config.json'))).toEqual({ kind: 'file', size: 2 })
    expect(files.stat(join(root, 'tf'))).toEqual({ kind: 'directory', size: 0 })
    expect(files.stat(`${root}/tf/`)).toEqual({ kind: 'directory', size: 0 })
    expect(files.stat(join(root, 'absent'))).toBeNull()
    expect(files.stat(join(root, 'config.json/absent'))).toBeNull()
    expect(files.stat('a\0b')).toBeNull()
    expect([...files.list(root)].sort()).toEqual(['config.json', 'tf'])
    expect([...files.list(`${root}/tf/`)].sort()).toEqual(['deep', 'model.index'])
  })

  it('reads ranges, fewer bytes at the end, and none after it', () => {
    const file = make().open(join(root, 'tf/deep/data'))
    expect(file.size).toBe(10)
    const target = new Uint8Array(4)
    expect(file.read(3, target)).toBe(4)
    expect(Buffer.from(target).toString()).toBe('3456')
    expect(file.read(8, target)).toBe(2)
    expect(Buffer.from(target.subarray(0, 2)).toString()).toBe('89')
    expect(file.read(10, target)).toBe(0)
    file.close()
    file.close()
    expect(() => file.read(0, target)).toThrow(RangeError)
  })

  it('says what is wrong with a path', () => {
    const files = make()
    const absent = join(root, 'absent')
    expect(() => files.open(absent)).toThrow(expect.objectContaining({ code: 'file-missing', place: { file: absent } }))
    expect(() => files.list(absent)).toThrow(expect.objectContaining({ code: 'file-missing', place: { file: absent } }))
    expect(() => files.open(join(root, 'tf'))).toThrow(expect.objectContaining({ code: 'file-not-regular' }))
  })
})

describe('a link that leads nowhere', () => {
  it.each([
    ['to a file that is not there', 'nowhere'],
    ['into a circle', 'circle'],
  ])('%s is something', (_, target) => {
    const path = join(root, target === 'circle' ? 'circle' : 'link')
    symlinkSync(target, path)
    expect(disk.stat(path)).toEqual({ kind: 'broken link', size: 0 })
    expect([exists(disk, path), isReachable(disk, path), isReachable(disk, join(root, 'tf'))]).toEqual([
      true,
      false,
      true,
    ])
    expect(() => disk.open(path)).toThrow(
      expect.objectContaining({ code: 'file-missing', message: 'the file is a link that leads to no file' }),
    )
    rmSync(path)
    expect([disk.stat(path), isReachable(disk, path)]).toEqual([null, false])
  })
})

describe('a file that changes while it is read', () => {
  const path = (): string => join(root, 'changing')
  const opened = (): { read: () => string } => {
    writeFileSync(path(), 'before')
    // Times of a file are told apart only after a few milliseconds.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
    const file = disk.open(path())
    const target = new Uint8Array(6)
    const read = (): string => {
      file.read(0, target)
      return Buffer.from(target).toString()
    }
    expect(read()).toBe('before')
    return { read }
  }
  const changed = expect.objectContaining({ code: 'file-changed', kind: 'malformed' }) as Error

  it('is refused if it is overwritten, cut off or overwritten with its old time', () => {
    const overwritten = opened()
    writeFileSync(path(), 'after!')
    expect(overwritten.read).toThrow(changed)
    const cut = opened()
    writeFileSync(path(), 'be')
    expect(cut.read).toThrow(changed)
    const disguised = opened()
    const { atime, mtime } = statSync(path())
    writeFileSync(path(), 'after!')
    utimesSync(path(), atime, mtime)
    expect(disguised.read).toThrow(changed)
  })

  it('is refused if another takes its name', () => {
    const { read } = opened()
    writeFileSync(join(root, 'other'), 'after!')
    renameSync(join(root, 'other'), path())
    expect(read).toThrow(changed)
  })
})

it('relative paths of the memory begin at its root', () => {
  const files = memoryFiles([['model/config.json', Buffer.from('{}')]])
  expect(files.list('.')).toEqual(['model'])
  expect(files.stat('./model')?.kind).toBe('directory')
  expect(files.open('model/../model/config.json').size).toBe(2)
})
