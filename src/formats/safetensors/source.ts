import { malformed } from '../../base/errors.js'
import { confined } from '../core/confined.js'
import type { FilePort } from '../core/file-port.js'
import { RangedFile } from '../core/file.js'
import { limitError, NameBudget } from '../core/limits.js'
import { dirname, join } from '../core/paths.js'
import type { TensorInfo, TensorSource } from '../core/source.js'
import { readWeightMap } from '../weight-map.js'
import { readHeader, type SafetensorsEntry } from './header.js'

interface LocatedTensor extends SafetensorsEntry {
  readonly shard: RangedFile
}

class SafetensorsSource implements TensorSource {
  readonly format = 'safetensors'
  readonly notes: readonly string[] = []
  readonly tensors: ReadonlyMap<string, TensorInfo>
  readonly #placed: ReadonlyMap<string, LocatedTensor>
  readonly #shards: readonly RangedFile[]

  constructor(
    readonly files: readonly string[],
    shards: readonly RangedFile[],
    placed: ReadonlyMap<string, LocatedTensor>,
  ) {
    this.#shards = shards
    this.#placed = placed
    this.tensors = placed
  }

  read(name: string, offset: number, target: Uint8Array): void {
    const entry = this.#placed.get(name)
    if (entry === undefined) throw new RangeError(`no tensor named ${name}`)
    if (offset < 0 || offset + target.length > entry.byteLength)
      throw new RangeError(`${name}: range outside the tensor`)
    entry.shard.read(entry.offset + offset, target)
  }

  /** The format has no checksums; its ranges were checked when it was opened. */
  verifyChecksum(): void {
    return
  }

  close(): void {
    for (const shard of this.#shards) shard.close()
  }
}

/** Opens files, and closes those already open when one of them is damaged. */
function openAll(
  files: FilePort,
  paths: readonly string[],
): { shards: RangedFile[]; headers: ReadonlyMap<string, SafetensorsEntry>[] } {
  const shards: RangedFile[] = []
  const names = new NameBudget(limitError(paths[0] ?? ''))
  try {
    const headers = paths.map((path) => {
      const shard = new RangedFile(files, path)
      shards.push(shard)
      return readHeader(shard, names).entries
    })
    return { shards, headers }
  } catch (error) {
    for (const shard of shards) shard.close()
    throw error
  }
}

/** Opens one file. @throws AlbertkitError `malformed` */
export function openSafetensors(files: FilePort, path: string): TensorSource {
  const { shards, headers } = openAll(files, [path])
  const shard = shards[0]!
  const placed = new Map([...(headers[0] ?? [])].map(([name, entry]) => [name, { ...entry, shard }]))
  return new SafetensorsSource([path], shards, placed)
}

/** Opens `*.safetensors.index.json` and the shards it names. @throws AlbertkitError `malformed` */
export function openShardedSafetensors(files: FilePort, indexPath: string): TensorSource {
  const wanted = readWeightMap(files, indexPath)
  const names = [...new Set(wanted.map(([, shard]) => shard))].sort()
  const paths = names.map((name) => join(dirname(indexPath), name))
  const { shards, headers } = openAll(confined(files, [dirname(indexPath)]), paths)
  const placed = new Map<string, LocatedTensor>()
  const places = new Map(names.map((name, i) => [name, i]))
  for (const [name, shardName] of wanted) {
    const at = places.get(shardName) ?? -1
    const entry = headers[at]?.get(name)
    const shard = shards[at]
    if (entry === undefined || shard === undefined) {
      for (const open of shards) open.close()
      throw malformed(`the index puts the tensor in ${shardName}, which does not have it`, {
        code: 'shard-mismatch',
        file: indexPath,
        tensor: name,
      })
    }
    placed.set(name, { ...entry, shard })
  }
  return new SafetensorsSource([indexPath, ...paths], shards, placed)
}
