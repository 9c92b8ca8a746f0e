import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { malformed } from '../base/errors.js'
import { openReadable } from '../files/disk.js'
import { system } from '../files/write-port.js'
import { ByteRanges, journalLine, readJournal } from './byte-ranges.js'

/** Where a file of a server lies in a cache, complete or in part. */
export interface BlobPlace {
  /** The complete file, named by its ETag. */
  readonly blob: string
  /** Its name in the model's folder: a link to the blob. */
  readonly link: string
  /** True of a cache that other tools write too: what they began is taken over, and left to them. */
  readonly isShared: boolean
  /** Hash that the hub names a file by: SHA-256 of large ones (64 digits), git's SHA-1 of others (40); else null. */
  readonly oid: string | null
}

/** File of ranges that arrived, and the journal that says which. Other tools' `.incomplete` files have no holes. */
const partialOf = ({ blob }: BlobPlace): string => `${blob}.albertkit`
const journalOf = ({ blob }: BlobPlace): string => `${blob}.albertkit.ranges`
/** What huggingface_hub has of a file so far: its first bytes. It goes on from there. */
const incompleteOf = ({ blob }: BlobPlace): string => `${blob}.incomplete`

/** A file that nobody has written to for so long is no longer being fetched, in ms. */
const ABANDONED_MS = 10 * 60_000

const sizeOf = (path: string): number | null => {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats?.isFile() === true ? stats.size : null
}

/** Removes what an address had under this name before: other blobs of it, and parts of them. */
function removeOlder({ blob }: BlobPlace): void {
  const [folder, own] = [dirname(blob), basename(blob)]
  const prefix = own.slice(0, own.indexOf('-') + 1)
  if (prefix === '') return
  for (const name of readdirSync(folder))
    if (name.startsWith(prefix) && !name.startsWith(own)) system.remove(join(folder, name))
}

/** Gives a blob its name in the model's folder. Systems without links get the file itself, as from huggingface_hub. */
function linkBlob(place: BlobPlace): string {
  const { blob, link } = place
  try {
    system.makeFolders(dirname(link))
    if (!place.isShared) removeOlder(place)
    // What the folder is linked from has other parents than its path says.
    const target = relative(realpathSync(dirname(link)), realpathSync(blob))
    if (targetOf(link) === target) return link
    // A dangling link is no file to `existsSync`.
    system.remove(link)
    system.symlink(target, link)
    return link
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // Another process was faster.
    if (code === 'EEXIST') return link
    if (code !== 'EPERM' && code !== 'ENOSYS' && code !== 'ENOTSUP') return blob
    if (place.isShared) system.rename(blob, link)
    else system.copy(blob, link)
    return link
  }
}

/** What a symbolic link says; null if it is none. */
function targetOf(link: string): string | null {
  try {
    return readlinkSync(link)
  } catch {
    return null
  }
}

/** Path of a complete file in the cache; null if it is not there. */
export function findBlob(place: BlobPlace, size: number): string | null {
  try {
    // The files of a commit never change; under an address another file may have come.
    if (place.isShared && sizeOf(place.link) === size) return place.link
    return sizeOf(place.blob) === size ? linkBlob(place) : null
  } catch {
    return null
  }
}

/** Hash of a file by the kind that its name is. */
function hashOf(file: string, oid: string, size: number): string {
  const hash = createHash(oid.length === 64 ? 'sha256' : 'sha1')
  if (oid.length === 40) hash.update(`blob ${size}\0`)
  const descriptor = openReadable(file)
  try {
    const piece = new Uint8Array(1 << 20)
    for (let n = 0; (n = readSync(descriptor, piece, 0, piece.length, null)) > 0;) hash.update(piece.subarray(0, n))
  } finally {
    closeSync(descriptor)
  }
  return hash.digest('hex')
}

/**
 * A file of the cache that is there in part. Processes that fetch the same file write the same bytes, and see in the
 * journal what the others have: nobody waits for anybody, and nothing travels twice.
 */
export class PartialBlob {
  readonly file: string
  readonly journal: string
  ranges = new ByteRanges()
  #inode = ''
  #journalSize = -1

  private constructor(
    readonly place: BlobPlace,
    readonly size: number,
  ) {
    this.file = partialOf(place)
    this.journal = journalOf(place)
  }

  /**
   * Opens what there is of a file, or begins it; null if the cache cannot be written.
   * @param isSequential asks whether other tools write this file from start to end; called only if they began it
   */
  static open(place: BlobPlace, size: number, isSequential: () => boolean): PartialBlob | null {
    const partial = new PartialBlob(place, size)
    try {
      system.makeFolders(dirname(place.blob))
      if (place.isShared && !existsSync(partial.file)) partial.#adopt(isSequential)
      system.close(system.open(partial.file, 'a'))
      partial.refresh()
      return partial
    } catch (error) {
      if ((error as Error).name === 'AlbertkitError') throw error
      return null
    }
  }

  /** True if something of the file was fetched before. */
  static isBegun(place: BlobPlace): boolean {
    return (sizeOf(journalOf(place)) ?? 0) > 0
  }

  /** Name of the file on this disk, as its journal has it. */
  get inode(): string {
    return this.#inode
  }

  /** Takes over the first bytes that another tool has fetched: a copy, unless it has stopped. */
  #adopt(isSequential: () => boolean): void {
    const theirs = incompleteOf(this.place)
    const stats = statSync(theirs, { throwIfNoEntry: false })
    const bytes = stats?.size ?? 0
    if (stats === undefined || bytes === 0 || bytes > this.size || !isSequential()) return
    if (Date.now() - stats.mtimeMs > ABANDONED_MS) system.rename(theirs, this.file)
    else system.copy(theirs, this.file)
    const inode = String(statSync(this.file).ino)
    const descriptor = system.open(this.journal, 'a')
    system.write(descriptor, Buffer.from(journalLine(inode, { from: 0, to: bytes })), null)
    system.close(descriptor)
  }

  /** Reads what arrived since the last time, from other processes too. */
  refresh(): void {
    const stats = statSync(this.journal, { throwIfNoEntry: false })
    const inode = String(statSync(this.file).ino)
    if (inode === this.#inode && stats?.size === this.#journalSize) return
    this.#inode = inode
    this.#journalSize = stats?.size ?? 0
    this.ranges =
      stats === undefined ? new ByteRanges() : readJournal(readFileSync(this.journal, 'utf8'), inode, this.size)
  }

  get isWhole(): boolean {
    return this.ranges.present(0) === this.size
  }

  /**
   * Moves the complete file to its place in the cache.
   * @returns its path
   * @throws AlbertkitError `malformed` if it is not the file that the hub lists
   */
  finish(url: string): string {
    const { oid, blob } = this.place
    if (oid !== null && existsSync(this.file) && hashOf(this.file, oid, this.size) !== oid) {
      this.#forget()
      system.remove(incompleteOf(this.place))
      throw malformed('what was fetched is not the file that the hub lists: its hash is another', {
        code: 'checksum-mismatch',
        file: url,
        hint: 'it was removed from the cache; try again',
      })
    }
    try {
      system.rename(this.file, blob)
    } catch (error) {
      // Another process has finished it.
      if (sizeOf(blob) !== this.size) throw error
    }
    system.remove(this.journal)
    return linkBlob(this.place)
  }

  #forget(): void {
    system.remove(this.journal)
    system.remove(this.file)
  }

  /**
   * Leaves the file as it is, for the next time. One that nothing was fetched of is removed.
   * @param isSequential true if other tools go on where a file ends: they get the first bytes, if no others are there
   */
  leave(isSequential: boolean): void {
    try {
      this.refresh()
      const { prefix, bytes } = this.ranges
      if (bytes === 0) this.#forget()
      else if (this.place.isShared && isSequential && prefix > 0 && !existsSync(incompleteOf(this.place))) {
        const descriptor = system.open(this.file, 'r+')
        system.truncate(descriptor, prefix)
        system.close(descriptor)
        system.link(this.file, incompleteOf(this.place))
        this.#forget()
      }
    } catch {
      // Errors of tidying up are ignored.
    }
  }
}
