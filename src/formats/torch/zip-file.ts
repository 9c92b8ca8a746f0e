import { shownJson } from '../../base/json-text.js'
import { latin1Text } from '../../base/bytes.js'
import { malformed, unsupported } from '../../base/errors.js'
import type { RangedFile } from '../core/file.js'
import { ByteCursor } from '../pickle/cursor.js'
import { PickleMachine } from '../pickle/machine.js'
import { DEFLATED, type ZipEntry } from '../zip/directory.js'
import { ZipMember } from '../zip/member.js'
import type { StoragePlace, TorchFile } from './file.js'
import { TorchHost } from './globals.js'

/** A pickle holds names and shapes; a thousand tensors take 200 kB. */
const MAX_PICKLE_BYTES = 64 * 1024 * 1024
/** kMaxSupportedFileFormatVersion of caffe2/serialize/versions.h: torch.save writes 3. */
const MAX_VERSION = 10
/** A version or the name of a byte order. */
const MAX_RECORD_BYTES = 64

/**
 * The folder in which a zip archive holds a PyTorch model, or null if it holds none: `<folder>/data.pkl` next to
 * `<folder>/version` or the storages (caffe2/serialize/inline_container.cc). A folder of model files that was zipped
 * has neither.
 */
export function torchFolder(entries: readonly ZipEntry[]): string | null {
  // All in one pass: an archive may have a pickle in each of 50,000 folders.
  const pickles = new Set<string>()
  const others = new Set<string>()
  for (const { name } of entries) {
    const slash = name.indexOf('/')
    if (slash < 1) continue
    const [folder, rest] = [name.slice(0, slash), name.slice(slash + 1)]
    if (rest === 'data.pkl') pickles.add(folder)
    else if (rest === 'version' || rest === '.data/version' || rest.startsWith('data/')) others.add(folder)
  }
  for (const folder of pickles) if (others.has(folder)) return folder
  return null
}

class ZipReader {
  readonly #byName: ReadonlyMap<string, ZipEntry>
  constructor(
    readonly file: RangedFile,
    entries: readonly ZipEntry[],
    readonly folder: string,
    readonly checksum: boolean,
  ) {
    this.#byName = new Map(entries.map((e) => [e.name, e]))
  }

  has(name: string): boolean {
    return this.#byName.has(`${this.folder}/${name}`)
  }

  /** An entry whose bytes are stored uncompressed. */
  entry(name: string): ZipEntry {
    const entry = this.#byName.get(`${this.folder}/${name}`)
    if (entry === undefined)
      throw malformed(`the archive has no ${this.folder}/${name}, which its pickle names`, {
        code: 'tensor-missing',
        file: this.file.path,
      })
    if (entry.stored) return entry
    const how = entry.method === DEFLATED ? 'compressed' : `packed by method ${entry.method}`
    throw unsupported(`${entry.name} is ${how}, which PyTorch does not do`, {
      code: 'compression-unsupported',
      file: this.file.path,
      offset: entry.dataStart,
      hint: 'save the weights again with torch.save',
    })
  }

  /** Compares an entry with its CRC-32, a stored zero too. @throws AlbertkitError `malformed` */
  verify(entry: ZipEntry): void {
    if (this.checksum) new ZipMember(this.file, entry, { file: this.file.path, offset: entry.dataStart }, true).verify()
  }

  record(name: string): string | null {
    if (!this.has(name)) return null
    const entry = this.entry(name)
    if (entry.size > MAX_RECORD_BYTES)
      throw malformed(`${entry.name} has ${entry.size} bytes, more than the limit of ${MAX_RECORD_BYTES}`, {
        code: 'limit-exceeded',
        file: this.file.path,
        offset: entry.dataStart,
      })
    this.verify(entry)
    return latin1Text(this.file.bytes(entry.dataStart, entry.size))
  }

  /** @throws AlbertkitError if PyTorch would not read a file of this version */
  checkVersion(): void {
    const name = this.has('.data/version') ? '.data/version' : 'version'
    const version = this.record(name)?.trim() ?? null
    if (version === null || (/^\d{1,3}$/.test(version) && Number(version) >= 1 && Number(version) <= MAX_VERSION))
      return
    throw unsupported(`version ${shownJson(version)} of the format; 1 to ${MAX_VERSION} are known`, {
      code: 'format-unsupported',
      file: this.file.path,
      offset: this.entry(name).dataStart,
    })
  }

  bigEndian(): boolean {
    const order = this.record('byteorder')
    if (order !== null && order !== 'little' && order !== 'big')
      throw malformed('the byte order of the file is neither little nor big', {
        code: 'header-invalid',
        file: this.file.path,
        offset: this.entry('byteorder').dataStart,
      })
    return order === 'big'
  }
}

/** @throws AlbertkitError `malformed` or `unsupported` */
export function readTorchZip(
  file: RangedFile,
  entries: readonly ZipEntry[],
  folder: string,
  checksum: boolean,
): TorchFile {
  const zip = new ZipReader(file, entries, folder, checksum)
  if (zip.has('constants.pkl'))
    throw unsupported('the file holds a TorchScript program, not weights alone', {
      code: 'format-unsupported',
      file: file.path,
      hint: 'save the weights: torch.save(torch.jit.load(…).state_dict(), …)',
    })
  const pickle = zip.entry('data.pkl')
  if (pickle.size > MAX_PICKLE_BYTES)
    throw malformed(`the pickle has ${pickle.size} bytes, more than the limit of ${MAX_PICKLE_BYTES}`, {
      code: 'limit-exceeded',
      file: file.path,
      offset: pickle.dataStart,
    })
  // One bit of it can give a weight the values of another.
  zip.verify(pickle)
  zip.checkVersion()
  const host = new TorchHost(5)
  const cursor = new ByteCursor(file, pickle.dataStart, pickle.dataStart + pickle.size)
  const root = new PickleMachine(cursor, host).run()
  const places = new Map<string, StoragePlace>()
  for (const { key, bytes } of host.storages.values()) {
    const entry = zip.entry(`data/${key}`)
    if (entry.size !== bytes)
      throw malformed(`${entry.name} has ${entry.size} bytes, but the pickle says ${bytes}`, {
        code: 'range-invalid',
        file: file.path,
        offset: entry.dataStart,
      })
    places.set(key, { offset: entry.dataStart, bytes, crc32: entry.crc32 })
  }
  const bigEndian = zip.bigEndian()
  return {
    file,
    root,
    places,
    storages: host.storages,
    bigEndian,
    notes: bigEndian ? ['written on a big-endian machine'] : [],
  }
}
