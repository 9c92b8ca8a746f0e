import { AlbertkitError, malformed, unsupported } from '../../base/errors.js'
import type { RangedFile } from '../core/file.js'
import { openZip } from './open.js'

/** A sharded checkpoint has tens of files, a PyTorch file one a tensor; a forged directory has millions. */
const MAX_ENTRIES = 50_000
/** File names of checkpoints have some fifty bytes. */
const MAX_NAME_BYTES = 4096

const STORED = 0
const ENCRYPTED = 0x0001
/** Sizes stand behind the data, not in the local header. */
const SIZES_LATER = 0x0008
/** Sizes stand in the extra field. */
const ZIP64 = 0xffffffff

export interface ZipEntry {
  readonly name: string
  readonly directory: boolean
  /** True where the bytes of the entry are those of the file. */
  readonly stored: boolean
  readonly method: number
  /** Bytes in the archive. */
  readonly storedSize: number
  /** Bytes of the file. */
  readonly size: number
  readonly crc32: number
  /** Where the bytes begin in the archive. */
  readonly dataStart: number
  /** Mode of Unix, 0 where the archive was made elsewhere. */
  readonly mode: number
}

/** Madeby byte of archives whose attributes are those of Unix. */
const UNIX = 3

type Yauzl = typeof import('yauzl')
type YauzlEntry = import('yauzl').Entry
type YauzlFile = import('yauzl').ZipFile

class DirectoryReader {
  constructor(
    readonly file: string,
    readonly size: number,
    readonly yauzl: Yauzl,
    readonly zip: YauzlFile,
  ) {}

  fail(what: string, offset?: number): AlbertkitError {
    return malformed(what, { file: this.file, ...(offset === undefined ? {} : { offset }), hint: 'fetch it again' })
  }

  name(entry: YauzlEntry): string {
    if (entry.fileNameRaw.length > MAX_NAME_BYTES) throw this.fail('an entry of the zip archive has an endless name')
    return this.yauzl.getFileNameLowLevel(entry.generalPurposeBitFlag, entry.fileNameRaw, entry.extraFields, true)
  }

  /** The entry with its place, the directory compared with what stands before the data. */
  async place(entry: YauzlEntry): Promise<ZipEntry> {
    const name = this.name(entry)
    const header = entry.relativeOffsetOfLocalHeader
    const local = await this.zip.readLocalFileHeaderPromise(entry)
    const lies = (what: string): AlbertkitError =>
      this.fail(`the zip archive says two things of the ${what} of ${name}`, header)
    if (!local.fileName.equals(entry.fileNameRaw)) throw lies('name')
    if (local.compressionMethod !== entry.compressionMethod) throw lies('compression')
    const later = (local.generalPurposeBitFlag & SIZES_LATER) !== 0
    for (const [here, there] of [
      [local.compressedSize, entry.compressedSize],
      [local.uncompressedSize, entry.uncompressedSize],
    ] as const)
      if (here !== there && here !== ZIP64 && !(later && here === 0)) throw lies('size')
    if ((entry.generalPurposeBitFlag & ENCRYPTED) !== 0)
      throw unsupported(`${name} in the zip archive is encrypted`, { file: this.file, offset: header })
    const end = local.fileDataStart + entry.compressedSize
    if (end > this.size)
      throw this.fail(`${name} in the zip archive runs to byte ${end}, but the file has ${this.size}`, header)
    const stored = entry.compressionMethod === STORED
    if (stored && entry.compressedSize !== entry.uncompressedSize) throw lies('size')
    return {
      name,
      directory: name.endsWith('/'),
      stored,
      method: entry.compressionMethod,
      storedSize: entry.compressedSize,
      size: entry.uncompressedSize,
      crc32: entry.crc32,
      dataStart: local.fileDataStart,
      mode: entry.versionMadeBy >>> 8 === UNIX ? entry.externalFileAttributes >>> 16 : 0,
    }
  }

  async entries(): Promise<ZipEntry[]> {
    if (this.zip.entryCount > MAX_ENTRIES)
      throw this.fail(`the zip archive lists ${this.zip.entryCount} files, more than the limit of ${MAX_ENTRIES}`)
    const placed: ZipEntry[] = []
    const headers: { from: number; entry: ZipEntry }[] = []
    for await (const entry of this.zip.eachEntry()) {
      const it = await this.place(entry)
      placed.push(it)
      headers.push({ from: entry.relativeOffsetOfLocalHeader, entry: it })
    }
    this.#checkOverlap(headers)
    return placed
  }

  #checkOverlap(headers: { from: number; entry: ZipEntry }[]): void {
    headers.sort((a, b) => a.from - b.from)
    headers.forEach(({ entry }, i) => {
      const next = headers[i + 1]
      if (next !== undefined && entry.dataStart + entry.storedSize > next.from)
        throw this.fail(`${entry.name} and ${next.entry.name} overlap in the zip archive`, next.from)
    })
    const names = new Set<string>()
    for (const { from, entry } of headers) {
      if (names.has(entry.name)) throw this.fail(`the zip archive holds ${entry.name} twice`, from)
      names.add(entry.name)
    }
  }
}

/**
 * The entries of a zip archive with the places of their bytes, read through its directory alone.
 * @throws AlbertkitError `malformed` where entries lie about themselves, overlap, leave the file or occur twice;
 * `unsupported` where they are encrypted
 */
export async function readZipDirectory(file: RangedFile): Promise<ZipEntry[]> {
  const yauzl = (await import('yauzl')).default
  let zip: YauzlFile | null = null
  try {
    zip = await openZip(file, { decodeStrings: false })
    return await new DirectoryReader(file.path, file.size, yauzl, zip).entries()
  } catch (error) {
    if (error instanceof AlbertkitError) throw error
    const message = error instanceof Error ? error.message : String(error)
    throw malformed(`the zip archive is damaged: ${message.toLowerCase().replace(/\.$/, '')}`, {
      file: file.path,
      offset: zip === null ? file.size : 0,
      hint: 'the end of a zip archive says what is in it: the file may be cut off, fetch it again',
      cause: error,
    })
  } finally {
    zip?.close()
  }
}
