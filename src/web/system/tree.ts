import type { Content } from './content.js'
import { WrittenContent } from './content.js'
import { dirname, resolve } from './path.js'
import { Pages } from './pages.js'
import { systemError } from './system-error.js'

/** Folder of the tree. */
export interface Folder {
  readonly kind: 'folder'
  readonly id: number
  readonly entries: Map<string, Entry>
  changed: number
}

/** File of the tree; one may have several names, and lives as long as one of them or a descriptor. */
export interface FileEntry {
  readonly kind: 'file'
  readonly id: number
  readonly content: Content
  changed: number
  /** Number of names and of open descriptors. */
  uses: number
}

export type Entry = Folder | FileEntry

let ids = 0
const newFolder = (): Folder => ({ kind: 'folder', id: ++ids, entries: new Map(), changed: Date.now() })

/** Files and folders of a worker: what was mounted, to be read, and what is written. */
export class FileTree {
  readonly #root = newFolder()
  /** Folders whose files may be read only. */
  readonly #mounts = new Set<string>()
  pages = new Pages(null)

  /** The entry at a path; null if there is none. @throws Error ENOTDIR if a part of the path is a file */
  find(path: string): Entry | null {
    let at: Entry = this.#root
    for (const part of resolve(path).split('/').filter(Boolean)) {
      if (at.kind === 'file') throw systemError('ENOTDIR', path)
      const next = at.entries.get(part)
      if (next === undefined) return null
      at = next
    }
    return at
  }

  /** @throws Error ENOENT */
  get(path: string): Entry {
    const entry = this.find(path)
    if (entry === null) throw systemError('ENOENT', path)
    return entry
  }

  /** @throws Error ENOENT or ENOTDIR */
  folder(path: string): Folder {
    const entry = this.get(path)
    if (entry.kind === 'file') throw systemError('ENOTDIR', path)
    return entry
  }

  /** @throws Error ENOENT or EISDIR */
  file(path: string): FileEntry {
    const entry = this.get(path)
    if (entry.kind === 'folder') throw systemError('EISDIR', path)
    return entry
  }

  /** Folder and name of a path that is going to change. @throws Error EROFS if that is mounted */
  #place(path: string): { folder: Folder; name: string } {
    const full = resolve(path)
    const top = `/${full.split('/')[1] ?? ''}`
    if (this.#mounts.has(top)) throw systemError('EROFS', path)
    const folder = this.folder(dirname(full))
    folder.changed = Date.now()
    return { folder, name: full.slice(full.lastIndexOf('/') + 1) }
  }

  /** Creates an empty file. @throws Error EEXIST */
  create(path: string): FileEntry {
    const { folder, name } = this.#place(path)
    if (folder.entries.has(name)) throw systemError('EEXIST', path)
    return this.#enter(folder, name, new WrittenContent(this.pages))
  }

  #enter(folder: Folder, name: string, content: Content): FileEntry {
    const file: FileEntry = { kind: 'file', id: ++ids, content, changed: Date.now(), uses: 1 }
    folder.entries.set(name, file)
    return file
  }

  /** @throws Error EEXIST, or ENOENT without its parent */
  makeFolder(path: string): Folder {
    const { folder, name } = this.#place(path)
    if (folder.entries.has(name)) throw systemError('EEXIST', path)
    const made = newFolder()
    folder.entries.set(name, made)
    return made
  }

  /** Mounts files, to be read only, at the folder or file `/name`. @param files by their paths below it; '' is itself */
  mount(name: string, files: readonly (readonly [path: string, content: Content])[]): void {
    for (const [path, content] of files) {
      const parts = [name, ...path.split('/')].filter(Boolean)
      const last = parts.pop()!
      let folder = this.#root
      for (const part of parts) {
        const next = folder.entries.get(part) ?? newFolder()
        if (next.kind === 'file') throw systemError('ENOTDIR', path)
        folder.entries.set(part, next)
        folder = next
      }
      this.#enter(folder, last, content)
    }
    this.#mounts.add(`/${name}`)
  }

  /** Takes a mounted folder or file away. @returns false if nothing is mounted there */
  unmount(path: string): boolean {
    const name = resolve(path).slice(1)
    if (!this.#mounts.delete(`/${name}`)) return false
    this.#root.entries.delete(name)
    return true
  }

  /** Removes a name; contents go with the last one. */
  remove(path: string): void {
    const { folder, name } = this.#place(path)
    const entry = folder.entries.get(name)
    if (entry === undefined) throw systemError('ENOENT', path)
    folder.entries.delete(name)
    this.#drop(entry)
  }

  #drop(entry: Entry): void {
    if (entry.kind === 'file') this.release(entry)
    else for (const inner of entry.entries.values()) this.#drop(inner)
  }

  /** Takes back a use of a file. */
  release(file: FileEntry): void {
    if (--file.uses === 0 && file.content instanceof WrittenContent) file.content.truncate(0)
  }

  rename(from: string, to: string): void {
    const source = this.#place(from)
    const target = this.#place(to)
    const entry = source.folder.entries.get(source.name)
    if (entry === undefined) throw systemError('ENOENT', from)
    const there = target.folder.entries.get(target.name)
    if (there === entry) return
    const isFull = there?.kind === 'folder' && (entry.kind === 'file' || there.entries.size > 0)
    if (isFull) throw systemError('ENOTEMPTY', to)
    if (there !== undefined) this.#drop(there)
    source.folder.entries.delete(source.name)
    target.folder.entries.set(target.name, entry)
  }

  link(from: string, to: string): void {
    const file = this.file(from)
    const { folder, name } = this.#place(to)
    if (folder.entries.has(name)) throw systemError('EEXIST', to)
    folder.entries.set(name, file)
    file.uses++
  }
}

/** The files of this worker. */
export const tree = new FileTree()
tree.makeFolder('/tmp')
