import { malformed, unsupported, type AlbertkitError } from '../../base/errors.js'
import { crc32 } from '../core/checksums.js'
import { confined } from '../core/confined.js'
import type { FilePort } from '../core/file-port.js'
import { RangedFile } from '../core/file.js'
import { limitError } from '../core/limits.js'
import { dirname, join } from '../core/paths.js'
import { sniff } from '../core/sniff.js'
import { elementCount, type OpenOptions, type TensorInfo, type TensorSource } from '../core/source.js'
import { swapBytes } from '../core/byte-order.js'
import { readWeightMap } from '../weight-map.js'
import { readZipDirectory } from '../zip/directory.js'
import type { StoragePlace, TorchFile } from './file.js'
import { flattenStateDict } from './flatten.js'
import { Gatherer, isContiguous, spanOf } from './gather.js'
import type { TorchTensor } from './globals.js'
import { isLegacyTorch, readLegacyTorch } from './legacy-file.js'
import { readTorchZip, torchFolder } from './zip-file.js'

/** Checksums are computed in pieces of this size, for storages of any size. */
const PIECE = 4 * 1024 * 1024
/** Limit for a tensor that repeats the elements of a smaller storage (`expand`), which may claim any size. */
const MAX_EXPANDED_BYTES = 256 * 1024 * 1024

interface LocatedTensor extends TensorInfo {
  readonly tensor: TorchTensor
  readonly place: StoragePlace
  readonly from: TorchFile
}

/** Checks a tensor against its storage before anything is read or allocated for it. */
function placeTensor(name: string, tensor: TorchTensor, from: TorchFile): LocatedTensor {
  const { shape, strides, storage, type } = tensor
  const file = from.file.path
  const fail = (what: string, offset?: number): AlbertkitError =>
    malformed(what, { code: 'range-invalid', file, tensor: name, ...(offset === undefined ? {} : { offset }) })
  const place = from.places.get(storage.key)
  if (place === undefined) throw fail('the storage of the tensor is not in the file')
  const byteLength = elementCount(shape) * type.width
  if (!Number.isSafeInteger(byteLength)) throw fail(`impossible shape [${shape.join(', ')}]`, place.offset)
  const first = storage.viewOffset + tensor.offset * type.width
  const end = byteLength === 0 ? first : first + spanOf(shape, strides) * type.width
  if (!(end <= place.bytes))
    throw fail(
      `the tensor takes bytes ${first} to ${end} of a storage that has ${place.bytes}: ` +
        `shape [${shape.join(', ')}], strides [${strides.join(', ')}]`,
      place.offset,
    )
  if (byteLength > Math.max(place.bytes, MAX_EXPANDED_BYTES))
    throw unsupported(`the tensor repeats ${place.bytes} bytes until they are ${byteLength}`, {
      code: 'limit-exceeded',
      file,
      tensor: name,
    })
  return { name, dtype: type.dtype, shape, byteLength, file, tensor, place, from }
}

function readTorchFile(files: FilePort, file: RangedFile, checksum: boolean): TorchFile {
  const kind = sniff(files, file.path)
  if (kind === 'zip') {
    const entries = readZipDirectory(file)
    const folder = torchFolder(entries)
    if (folder !== null) return readTorchZip(file, entries, folder, checksum)
    throw malformed('the zip archive holds no PyTorch file', {
      code: 'not-a-model',
      file: file.path,
      hint: 'it has no data.pkl',
    })
  }
  if (isLegacyTorch(file)) return readLegacyTorch(file)
  if (kind === 'pickle')
    throw malformed('the pickle is no PyTorch file: its magic number is absent', {
      code: 'not-a-model',
      file: file.path,
      offset: 0,
    })
  throw malformed('the file is neither a zip archive nor a pickle, so no PyTorch file', {
    code: 'not-a-model',
    file: file.path,
    offset: 0,
    hint: 'it may be damaged or something else: fetch it again',
  })
}

class TorchSource implements TensorSource {
  readonly format = 'torch'
  readonly tensors: ReadonlyMap<string, LocatedTensor>
  readonly #gatherers = new Map<string, Gatherer | null>()
  readonly #verified = new Set<StoragePlace>()
  #buffer: Uint8Array | null = null

  constructor(
    readonly files: readonly string[],
    readonly notes: readonly string[],
    placed: ReadonlyMap<string, LocatedTensor>,
    readonly opened: readonly RangedFile[],
    readonly checksum: boolean,
  ) {
    this.tensors = placed
  }

  #placed(name: string): LocatedTensor {
    const placed = this.tensors.get(name)
    if (placed === undefined) throw new RangeError(`no tensor named ${name}`)
    return placed
  }

  verifyChecksum(name: string): void {
    const { place, from } = this.#placed(name)
    if (!this.checksum || place.crc32 === null || this.#verified.has(place)) return
    this.#buffer ??= new Uint8Array(PIECE)
    let crc = 0
    for (let done = 0; done < place.bytes; done += PIECE) {
      const bytes = this.#buffer.subarray(0, Math.min(PIECE, place.bytes - done))
      from.file.read(place.offset + done, bytes)
      crc = crc32(bytes, crc)
    }
    if (crc !== place.crc32)
      throw malformed('the bytes of the tensor do not have their CRC-32', {
        code: 'checksum-mismatch',
        file: from.file.path,
        tensor: name,
        offset: place.offset,
        hint: 'the file is damaged: fetch it again; `checksum: false` reads it as it is',
      })
    this.#verified.add(place)
  }

  /** Reader of a tensor whose elements are not contiguous in row-major order; null if they are. */
  #gatherer({ name, tensor, place, from }: LocatedTensor): Gatherer | null {
    let gatherer = this.#gatherers.get(name)
    if (gatherer !== undefined) return gatherer
    const { shape, strides, offset, type, storage } = tensor
    const strided = { shape, strides, offset, width: type.width }
    gatherer = isContiguous(strided)
      ? null
      : new Gatherer(strided, (at, target) => {
          from.file.read(place.offset + storage.viewOffset + at, target)
        })
    this.#gatherers.set(name, gatherer)
    return gatherer
  }

  read(name: string, offset: number, target: Uint8Array): void {
    const placed = this.#placed(name)
    if (offset < 0 || offset + target.length > placed.byteLength)
      throw new RangeError(`${name}: range outside the tensor`)
    this.verifyChecksum(name)
    const { tensor, from } = placed
    if (!from.bigEndian) this.#readStored(placed, offset, target)
    else {
      // Elements are swapped whole, though a range may begin within one.
      const { unit } = tensor.type
      const start = offset - (offset % unit)
      const end = Math.ceil((offset + target.length) / unit) * unit
      const whole = start === offset && end === offset + target.length ? target : new Uint8Array(end - start)
      this.#readStored(placed, start, whole)
      swapBytes(whole, unit)
      if (whole !== target) target.set(whole.subarray(offset - start, offset - start + target.length))
    }
  }

  #readStored(placed: LocatedTensor, offset: number, target: Uint8Array): void {
    const gatherer = this.#gatherer(placed)
    const { tensor, place, from } = placed
    const first = tensor.storage.viewOffset + tensor.offset * tensor.type.width
    if (gatherer === null) from.file.read(place.offset + first + offset, target)
    else gatherer.read(offset, target)
  }

  close(): void {
    for (const file of this.opened) file.close()
  }
}

/** Opens files and reads their pickles; closes them all if one is damaged. */
function openAll(files: FilePort, paths: readonly string[], checksum: boolean): TorchFile[] {
  const opened: RangedFile[] = []
  try {
    const read: TorchFile[] = []
    for (const path of paths) {
      const file = new RangedFile(files, path)
      opened.push(file)
      read.push(readTorchFile(files, file, checksum))
    }
    return read
  } catch (error) {
    for (const file of opened) file.close()
    throw error
  }
}

/** The tensors of a file by name. */
function tensorsOf(from: TorchFile): { placed: Map<string, LocatedTensor>; notes: readonly string[] } {
  const state = flattenStateDict(from.root, limitError(from.file.path))
  if (state === null || state.tensors.size === 0)
    throw unsupported('the file holds no tensors by name', {
      code: 'not-a-model',
      file: from.file.path,
      hint: 'save a state dict: torch.save(model.state_dict(), …)',
    })
  const placed = new Map([...state.tensors].map(([name, tensor]) => [name, placeTensor(name, tensor, from)]))
  const strided = [...placed.values()].filter((p) => !isContiguous(p.tensor))
  const note = strided.length > 0 ? [`${strided.length} tensors are stored in another order (strides)`] : []
  return { placed, notes: [...from.notes, ...state.notes, ...note] }
}

/**
 * Opens one PyTorch file (`.bin`, `.pt`, `.pth`) of either format.
 * @throws AlbertkitError `malformed`; `unsupported` naming the first global that is no tensor and no container
 */
export function openTorch(files: FilePort, path: string, options: OpenOptions = {}): TensorSource {
  const checksum = options.checksum !== false
  const [from] = openAll(files, [path], checksum)
  try {
    const { placed, notes } = tensorsOf(from!)
    return new TorchSource([path], notes, placed, [from!.file], checksum)
  } catch (error) {
    from!.file.close()
    throw error
  }
}

/** Opens `*.bin.index.json` and the files it names. @throws AlbertkitError as `openTorch` */
export function openShardedTorch(files: FilePort, indexPath: string, options: OpenOptions = {}): TensorSource {
  const wanted = readWeightMap(files, indexPath)
  const names = [...new Set(wanted.map(([, shard]) => shard))].sort()
  const paths = names.map((name) => join(dirname(indexPath), name))
  const opened = openAll(confined(files, [dirname(indexPath)]), paths, options.checksum !== false)
  const ranged = opened.map((from) => from.file)
  try {
    const parts = new Map(opened.map((from, i) => [names[i]!, tensorsOf(from)]))
    const placed = new Map<string, LocatedTensor>()
    for (const [name, shard] of wanted) {
      const tensor = parts.get(shard)?.placed.get(name)
      if (tensor === undefined)
        throw malformed(`the index puts the tensor in ${shard}, which does not have it`, {
          code: 'shard-mismatch',
          file: indexPath,
          tensor: name,
        })
      placed.set(name, tensor)
    }
    const notes = [...new Set([...parts.values()].flatMap((part) => part.notes))]
    return new TorchSource([indexPath, ...paths], notes, placed, ranged, options.checksum !== false)
  } catch (error) {
    for (const file of ranged) file.close()
    throw error
  }
}
