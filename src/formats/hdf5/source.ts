import { unsupported } from '../../base/errors.js'
import { confined } from '../core/confined.js'
import type { FilePort } from '../core/file-port.js'
import { dirname, join } from '../core/paths.js'
import { DTYPE_BYTES, type TensorInfo, type TensorSource } from '../core/source.js'
import { readWeightMap } from '../weight-map.js'
import { Hdf5File, type Hdf5Entry } from './file.js'
import { loadHdf5 } from './library.js'
import { numberWithin } from './numbered.js'

interface LocatedTensor {
  /** The dataset in its file. */
  readonly entry: Hdf5Entry
  readonly from: Hdf5File
}

/** A file and the prefix of its names. */
interface Part {
  readonly path: string
  readonly scope: string
}

class Hdf5Source implements TensorSource {
  readonly format = 'hdf5'
  readonly notes: readonly string[] = []
  readonly tensors: ReadonlyMap<string, TensorInfo>
  /** Names of layers, by the paths of their groups, as Keras stores them with the weights. */
  readonly metadata: ReadonlyMap<string, string>
  readonly #placed: ReadonlyMap<string, LocatedTensor>

  constructor(
    readonly files: readonly string[],
    readonly opened: readonly Hdf5File[],
    parts: readonly Part[],
  ) {
    const tensors = new Map<string, TensorInfo>()
    const placed = new Map<string, LocatedTensor>()
    const metadata = new Map<string, string>()
    opened.forEach((from, i) => {
      const scope = parts[i]?.scope ?? ''
      const numbered = numberWithin(from.entries.keys())
      for (const entry of from.entries.values()) {
        const name = scope + (numbered.get(entry.name) ?? entry.name)
        tensors.set(name, { ...entry, name })
        placed.set(name, { entry, from })
      }
      for (const [group, name] of from.groupNames) metadata.set(scope + group, name)
    })
    this.tensors = tensors
    this.#placed = placed
    this.metadata = metadata
  }

  read(name: string, offset: number, target: Uint8Array): void {
    const placed = this.#placed.get(name)
    if (placed === undefined) throw new RangeError(`no tensor named ${name}`)
    const { entry, from } = placed
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
    from.read(entry, first, whole)
    if (whole !== target) target.set(whole.subarray(before, before + target.length))
  }

  /** Does nothing: the library checks the checksums of datasets that have them (fletcher32) when it reads. */
  verifyChecksum(): void {
    return
  }

  close(): void {
    for (const file of this.opened) file.close()
  }
}

async function open(port: FilePort, files: readonly string[], parts: readonly Part[]): Promise<TensorSource> {
  const library = await loadHdf5(files[0] ?? '')
  const opened: Hdf5File[] = []
  try {
    for (const { path } of parts) opened.push(new Hdf5File(library, port, path))
    if (opened.every(({ entries }) => entries.size === 0))
      throw unsupported('the HDF5 file holds no datasets, so no weights', {
        code: 'not-a-model',
        file: parts[0]?.path ?? '',
      })
    return new Hdf5Source(files, opened, parts)
  } catch (error) {
    for (const file of opened) file.close()
    throw error
  }
}

/**
 * Opens one HDF5 file; its tensors are its datasets, by their paths.
 * @throws AlbertkitError `malformed`, `unsupported`; `environment` if h5wasm is not installed
 */
export const openHdf5 = (files: FilePort, path: string): Promise<TensorSource> =>
  open(files, [path], [{ path, scope: '' }])

/** The files that an index names, each once. */
function shardsOf(files: FilePort, indexPath: string): string[] {
  const names = [...new Set(readWeightMap(files, indexPath, true).map(([, shard]) => shard))].sort()
  return names.map((name) => join(dirname(indexPath), name))
}

/** Opens `*.h5.index.json` of transformers or `*.weights.json` of Keras, and the files it names. @throws AlbertkitError as `openHdf5` */
export function openShardedHdf5(files: FilePort, indexPath: string): Promise<TensorSource> {
  const paths = shardsOf(files, indexPath)
  return open(
    confined(files, [dirname(indexPath)]),
    [indexPath, ...paths],
    paths.map((path) => ({ path, scope: '' })),
  )
}

/** Prefix of the backbone's names if the head is in a separate file, which uses the same names for other weights. */
const BACKBONE = 'backbone/'

/** The files of a preset; `sharded` if `backbone` is an index. */
interface PresetFiles {
  readonly backbone: string
  readonly task: string
  readonly sharded: boolean
}

/**
 * Opens the two files of a keras-hub preset: the weights of its backbone, below `backbone/`, and those of its head.
 * @throws AlbertkitError as `openHdf5`
 */
export function openKerasPreset(files: FilePort, { backbone, task, sharded }: PresetFiles): Promise<TensorSource> {
  const paths = sharded ? shardsOf(files, backbone) : [backbone]
  const parts = [...paths.map((path) => ({ path, scope: BACKBONE })), { path: task, scope: '' }]
  return open(
    confined(files, [dirname(backbone)]),
    [...(sharded ? [backbone] : []), ...parts.map(({ path }) => path)],
    parts,
  )
}
