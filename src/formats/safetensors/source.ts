import { readFileSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { malformed } from '../../errors.js'
import { fileError, RangedFile } from '../file.js'
import type { TensorInfo, TensorSource } from '../source.js'
import { readHeader, type SafetensorsEntry } from './header.js'

/** An index lists names only: 64 MiB would be a million tensors. */
const MAX_INDEX_BYTES = 64 * 1024 * 1024

interface Placed extends SafetensorsEntry {
  readonly shard: RangedFile
}

class SafetensorsSource implements TensorSource {
  readonly format = 'safetensors'
  readonly notes: readonly string[] = []
  readonly tensors: ReadonlyMap<string, TensorInfo>
  readonly #placed: ReadonlyMap<string, Placed>
  readonly #shards: readonly RangedFile[]

  constructor(
    readonly files: readonly string[],
    shards: readonly RangedFile[],
    placed: ReadonlyMap<string, Placed>,
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
function openAll(paths: readonly string[]): { shards: RangedFile[]; headers: ReadonlyMap<string, SafetensorsEntry>[] } {
  const shards: RangedFile[] = []
  try {
    const headers = paths.map((path) => {
      const shard = new RangedFile(path)
      shards.push(shard)
      return readHeader(shard).entries
    })
    return { shards, headers }
  } catch (error) {
    for (const shard of shards) shard.close()
    throw error
  }
}

/** Opens one file. @throws AlbertkitError `malformed` */
export function openSafetensors(path: string): TensorSource {
  const { shards, headers } = openAll([path])
  const shard = shards[0]!
  const placed = new Map([...(headers[0] ?? [])].map(([name, entry]) => [name, { ...entry, shard }]))
  return new SafetensorsSource([path], shards, placed)
}

function readWeightMap(path: string): [name: string, shard: string][] {
  const fail = (what: string): Error =>
    malformed(what, { file: path, hint: 'an index has a weight_map from tensor to file' })
  let text: string
  try {
    if (statSync(path).size > MAX_INDEX_BYTES) throw fail('the index is larger than 64 MiB')
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw error instanceof Error && 'kind' in error ? error : fileError(error, path)
  }
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw fail('the index is not JSON')
  }
  const map =
    typeof parsed === 'object' && parsed !== null ? (parsed as { weight_map?: unknown }).weight_map : undefined
  if (typeof map !== 'object' || map === null || Array.isArray(map)) throw fail('the index has no weight_map')
  return Object.entries(map).map(([name, shard]) => {
    if (typeof shard !== 'string' || shard !== basename(shard) || shard === '..' || shard === '.') {
      throw malformed('the index names a file outside its own directory', { file: path, tensor: name })
    }
    return [name, shard]
  })
}

/** Opens `*.safetensors.index.json` and the shards it names. @throws AlbertkitError `malformed` */
export function openShardedSafetensors(indexPath: string): TensorSource {
  const wanted = readWeightMap(indexPath)
  const names = [...new Set(wanted.map(([, shard]) => shard))].sort()
  const paths = names.map((name) => join(dirname(indexPath), name))
  const { shards, headers } = openAll(paths)
  const placed = new Map<string, Placed>()
  for (const [name, shardName] of wanted) {
    const at = names.indexOf(shardName)
    const entry = headers[at]?.get(name)
    const shard = shards[at]
    if (entry === undefined || shard === undefined) {
      for (const open of shards) open.close()
      throw malformed(`the index puts the tensor in ${shardName}, which does not have it`, {
        file: indexPath,
        tensor: name,
      })
    }
    placed.set(name, { ...entry, shard })
  }
  return new SafetensorsSource([indexPath, ...paths], shards, placed)
}
