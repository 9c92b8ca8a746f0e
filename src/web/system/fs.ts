import { WrittenContent } from './content.js'
import { dirname, join, resolve } from './path.js'
import { systemError } from './system-error.js'
import { tree, type Entry, type FileEntry } from './tree.js'

/** `node:fs` in a browser: the functions that albertkit calls, over the files of the worker. */

export const constants = { O_RDONLY: 0, O_NONBLOCK: 0 }

class Stats {
  readonly dev = 1
  readonly ino: number
  readonly size: number
  readonly mtimeMs: number

  constructor(readonly entry: Entry) {
    this.ino = entry.id
    this.size = entry.kind === 'file' ? entry.content.size : 0
    this.mtimeMs = entry.changed
  }

  isFile = (): boolean => this.entry.kind === 'file'
  isDirectory = (): boolean => this.entry.kind === 'folder'
  isFIFO = (): boolean => false
  isSocket = (): boolean => false
  isSymbolicLink = (): boolean => false
}

/** What tells whether a file was changed: bigints in Node, compared only. */
interface Exact {
  readonly size: number
  readonly mtimeNs: number
  readonly ctimeNs: number
}

export function statSync(path: string, { throwIfNoEntry = true } = {}): Stats | undefined {
  const entry = throwIfNoEntry ? tree.get(path) : tree.find(path)
  return entry === null ? undefined : new Stats(entry)
}
export const lstatSync = statSync

export function existsSync(path: string): boolean {
  try {
    return tree.find(path) !== null
  } catch {
    return false
  }
}

export function realpathSync(path: string): string {
  tree.get(path)
  return resolve(path)
}

export function readlinkSync(path: string): string {
  throw systemError('EINVAL', path)
}

interface Dirent {
  readonly name: string
  isFile(): boolean
  isDirectory(): boolean
}

interface ListOptions {
  readonly withFileTypes?: boolean
  readonly recursive?: boolean
}

/** Names of what is in a folder; with `recursive` the paths of all that is below it. */
export function readdirSync(path: string, options?: ListOptions & { readonly withFileTypes?: false }): string[]
export function readdirSync(path: string, options: { readonly withFileTypes: true }): Dirent[]
export function readdirSync(path: string, { withFileTypes, recursive }: ListOptions = {}): (string | Dirent)[] {
  const { entries } = tree.folder(path)
  if (recursive === true)
    return [...entries].flatMap(([name, { kind }]) => {
      const inner = kind === 'file' ? [] : readdirSync(join(path, name), { recursive })
      return [name, ...inner.map((below) => `${name}/${below}`)]
    })
  if (withFileTypes !== true) return [...entries.keys()]
  return [...entries].map(([name, { kind }]) => ({
    name,
    isFile: () => kind === 'file',
    isDirectory: () => kind === 'folder',
  }))
}

interface Descriptor {
  readonly file: FileEntry | null
  readonly path: string
  position: number
}

const open = new Map<number, Descriptor>()
let last = 2

function descriptor(number: number): Descriptor {
  const found = open.get(number)
  if (found === undefined) throw systemError('EBADF', String(number))
  return found
}

function fileOf(number: number): FileEntry {
  const { file, path } = descriptor(number)
  if (file === null) throw systemError('EISDIR', path)
  return file
}

function writtenOf(number: number): WrittenContent {
  const { content } = fileOf(number)
  if (!(content instanceof WrittenContent)) throw systemError('EROFS', descriptor(number).path)
  return content
}

/** Opens a file; a folder too, which can only be synchronised. */
export function openSync(path: string, flags: string | number = 'r'): number {
  if (path.includes('\0')) throw systemError('ERR_INVALID_ARG_VALUE', path)
  const there = tree.find(path)
  const writes = typeof flags === 'string' && flags !== 'r'
  if (there === null && (!writes || flags === 'r+')) throw systemError('ENOENT', path)
  if (there !== null && flags === 'wx') throw systemError('EEXIST', path)
  if (there?.kind === 'folder' && writes) throw systemError('EISDIR', path)
  const file = there === null ? tree.create(path) : there.kind === 'file' ? there : null
  if (file !== null) file.uses++
  open.set(++last, { file, path, position: flags === 'a' ? (file?.content.size ?? 0) : 0 })
  if (flags === 'w' && there !== null) ftruncateSync(last, 0)
  return last
}

export function closeSync(number: number): void {
  const { file } = descriptor(number)
  open.delete(number)
  if (file !== null) tree.release(file)
}

export function fstatSync(number: number): Stats
export function fstatSync(number: number, options: { readonly bigint: true }): Exact
export function fstatSync(number: number, options?: { readonly bigint: true }): Stats | Exact {
  const { file, path } = descriptor(number)
  const entry = file ?? tree.get(path)
  if (options === undefined) return new Stats(entry)
  return { size: file?.content.size ?? 0, mtimeNs: entry.changed, ctimeNs: entry.id }
}

export function readSync(
  number: number,
  target: Uint8Array,
  offset = 0,
  length = target.length - offset,
  position: number | null = null,
): number {
  const { content } = fileOf(number)
  const state = descriptor(number)
  const count = content.read(position ?? state.position, target.subarray(offset, offset + length))
  if (position === null) state.position += count
  return count
}

export function writeSync(
  number: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: number | null,
): number {
  const state = descriptor(number)
  writtenOf(number).write(position ?? state.position, bytes.subarray(offset, offset + length))
  if (position === null) state.position += length
  fileOf(number).changed = Date.now()
  return length
}

export function ftruncateSync(number: number, size = 0): void {
  writtenOf(number).truncate(size)
}

export const fsync = (_descriptor: number, done: (error: Error | null) => void): void => {
  done(null)
}

export function fsyncSync(number: number): void {
  descriptor(number)
}

export function readFileSync(path: string): Uint8Array
export function readFileSync(path: string, encoding: 'utf8'): string
export function readFileSync(path: string, encoding?: 'utf8'): Uint8Array | string {
  const { content } = tree.file(path)
  const bytes = new Uint8Array(content.size)
  content.read(0, bytes)
  return encoding === undefined ? bytes : new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
}

export const renameSync = (from: string, to: string): void => {
  tree.rename(from, to)
}
export function copyFileSync(from: string, to: string): void {
  const bytes = readFileSync(from)
  const number = openSync(to, 'w')
  writeSync(number, bytes, 0, bytes.length, null)
  closeSync(number)
}
export function symlinkSync(_target: string, path: string): void {
  throw systemError('EPERM', path)
}
export const linkSync = (from: string, to: string): void => {
  tree.link(from, to)
}

export function mkdirSync(path: string, { recursive = false }: { recursive?: boolean } = {}): string | undefined {
  if (!recursive) {
    tree.makeFolder(path)
    return undefined
  }
  if (tree.find(path)?.kind === 'folder') return undefined
  const first = mkdirSync(dirname(resolve(path)), { recursive })
  tree.makeFolder(path)
  return first ?? resolve(path)
}

export function rmdirSync(path: string): void {
  if (tree.folder(path).entries.size > 0) throw systemError('ENOTEMPTY', path)
  tree.remove(path)
}

export function rmSync(path: string, { recursive = false, force = false } = {}): void {
  const entry = tree.find(path)
  if (entry === null && force) return
  if (entry?.kind === 'folder' && !recursive) throw systemError('EISDIR', path)
  tree.remove(path)
}

/** Bytes of a file, or of its part from `start` up to and with `end`, in pieces. */
export async function* createReadStream(
  path: string,
  { highWaterMark = 65_536, start = 0, end = Infinity } = {},
): AsyncGenerator<Uint8Array> {
  const { content } = tree.file(path)
  const size = Math.min(content.size, end + 1)
  for (let at = start; at < size; at += highWaterMark) {
    const piece = new Uint8Array(Math.min(highWaterMark, size - at))
    content.read(at, piece)
    yield await Promise.resolve(piece)
  }
}

/** Paths of all files below a folder, relative to it. */
export const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true }).filter((path) => tree.get(join(folder, path)).kind === 'file')
