import { malformed } from '../../base/errors.js'
import { confined } from '../core/confined.js'
import type { FilePort } from '../core/file-port.js'
import { RangedFile } from '../core/file.js'
import { limitError, NameBudget } from '../core/limits.js'
import { dirname, join } from '../core/paths.js'
import type { TensorSource } from '../core/source.js'
import { readWeightMap } from '../weight-map.js'
import { readHeader, type SafetensorsEntry } from './header.js'

class SafetensorsSource implements TensorSource {
  readonly format = 'safetensors'
  readonly notes: readonly string[] = []
  readonly #shards: ReadonlyMap<string, RangedFile>

  /** @param shards open files, which the tensors name by their paths */
  constructor(
    readonly files: readonly string[],
    shards: readonly RangedFile[],
    readonly tensors: ReadonlyMap<string, SafetensorsEntry>,
  ) {
    this.#shards = new Map(shards.map((shard) => [shard.path, shard]))
  }

  read(name: string, offset: number, target: Uint8Array): void {
    const entry = this.tensors.get(name)
    if (entry === undefined) throw new RangeError(`no tensor named ${name}`)
    if (offset < 0 || offset + target.length > entry.byteLength)
      throw new RangeError(`${name}: range outside the tensor`)
    this.#shards.get(entry.file)!.read(entry.offset + offset, target)
  }

  /** The format has no checksums; its ranges were checked when it was opened. */
  verifyChecksum(): void {
    return
  }

  close(): void {
    for (const shard of this.#shards.values()) shard.close()
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
  return new SafetensorsSource([path], shards, headers[0]!)
}

/** Opens `*.safetensors.index.json` and the shards it names. @throws AlbertkitError `malformed` */
export function openShardedSafetensors(files: FilePort, indexPath: string): TensorSource {
  const wanted = readWeightMap(files, indexPath)
  const names = [...new Set(wanted.map(([, shard]) => shard))].sort()
  const paths = names.map((name) => join(dirname(indexPath), name))
  const { shards, headers } = openAll(confined(files, [dirname(indexPath)]), paths)
  const placed = new Map<string, SafetensorsEntry>()
  const entriesOf = new Map(names.map((name, i) => [name, headers[i]]))
  for (const [name, shardName] of wanted) {
    const entry = entriesOf.get(shardName)?.get(name)
    if (entry === undefined) {
      for (const open of shards) open.close()
      throw malformed(`the index puts the tensor in ${shardName}, which does not have it`, {
        code: 'shard-mismatch',
        file: indexPath,
        tensor: name,
      })
    }
    placed.set(name, entry)
  }
  return new SafetensorsSource([indexPath, ...paths], shards, placed)
}
