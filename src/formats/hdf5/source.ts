import { dirname, join } from 'node:path'
import { unsupported } from '../../errors.js'
import { DTYPE_BYTES, type TensorInfo, type TensorSource } from '../source.js'
import { readWeightMap } from '../weight-map.js'
import { Hdf5File, type Hdf5Entry } from './file.js'
import { loadHdf5 } from './library.js'

interface Placed extends Hdf5Entry {
  readonly from: Hdf5File
}

class Hdf5Source implements TensorSource {
  readonly format = 'hdf5'
  readonly notes: readonly string[] = []
  readonly tensors: ReadonlyMap<string, TensorInfo>
  readonly #placed: ReadonlyMap<string, Placed>

  constructor(
    readonly files: readonly string[],
    readonly opened: readonly Hdf5File[],
  ) {
    this.#placed = new Map(
      opened.flatMap((from) => [...from.entries].map(([name, entry]): [string, Placed] => [name, { ...entry, from }])),
    )
    this.tensors = this.#placed
  }

  read(name: string, offset: number, target: Uint8Array): void {
    const entry = this.#placed.get(name)
    if (entry === undefined) throw new RangeError(`no tensor named ${name}`)
    if (offset < 0 || offset + target.length > entry.byteLength)
      throw new RangeError(`${name}: range outside the tensor`)
    const width = DTYPE_BYTES[entry.dtype]
    if (width === 0 || target.length === 0) return
    // Elements are read whole, though a range may begin within one.
    const first = Math.floor(offset / width)
    const end = Math.ceil((offset + target.length) / width)
    const before = offset - first * width
    const whole =
      before === 0 && (end - first) * width === target.length ? target : new Uint8Array((end - first) * width)
    entry.from.read(entry, first, whole)
    if (whole !== target) target.set(whole.subarray(before, before + target.length))
  }

  /** Where datasets have checksums (fletcher32), the library checks them when it reads. */
  verifyChecksum(): void {
    return
  }

  close(): void {
    for (const file of this.opened) file.close()
  }
}

async function open(files: readonly string[], paths: readonly string[]): Promise<TensorSource> {
  const library = await loadHdf5(files[0] ?? '')
  const opened: Hdf5File[] = []
  try {
    for (const path of paths) opened.push(new Hdf5File(library, path))
    if (opened.every(({ entries }) => entries.size === 0))
      throw unsupported('the HDF5 file holds no datasets, so no weights', { file: paths[0] ?? '' })
    return new Hdf5Source(files, opened)
  } catch (error) {
    for (const file of opened) file.close()
    throw error
  }
}

/**
 * Opens one HDF5 file; its tensors are its datasets, by their paths.
 * @throws AlbertkitError `malformed`, `unsupported`; `environment` where h5wasm is not installed
 */
export const openHdf5 = (path: string): Promise<TensorSource> => open([path], [path])

/** Opens `*.h5.index.json` and the files it names. @throws AlbertkitError as `openHdf5` */
export function openShardedHdf5(indexPath: string): Promise<TensorSource> {
  const names = [...new Set(readWeightMap(indexPath).map(([, shard]) => shard))].sort()
  const paths = names.map((name) => join(dirname(indexPath), name))
  return open([indexPath, ...paths], paths)
}
