import { exists, isDirectory, type FilePort } from '../core/file-port.js'
import { withFile } from '../core/file.js'
import { basename, dirname, join } from '../core/paths.js'
import { isTable } from '../tf-bundle/table.js'

/**
 * Files of a V1 checkpoint. Sharded ones are named `<prefix>-00000-of-00003` …; a `checkpoint` file names them by a
 * pattern with `?` for each digit of the shard.
 */

const SHARD = /^(?<prefix>.+)-(?:\d{5}|\?{5})-of-(?<count>\d{5})$/
const isShard = (name: string): boolean => SHARD.test(name) && !/\.data-\d{5}-of-\d{5}$/.test(name)

/** True if a file ends as a table does; false if it cannot be read. */
function endsAsTable(files: FilePort, path: string): boolean {
  try {
    return withFile(files, path, isTable)
  } catch {
    return false
  }
}

const pattern = (name: string): string => name.replace(/-\d{5}-of-/, '-?????-of-')

/** Paths of all shards, given one of them or their pattern; null if none of them exists. */
function shardsOf(files: FilePort, path: string): string[] | null {
  const name = basename(path)
  const { prefix, count } = SHARD.exec(name)?.groups ?? {}
  if (prefix === undefined || !isShard(name)) return null
  const paths = Array.from({ length: Number(count) }, (_, i) =>
    join(dirname(path), `${prefix}-${String(i).padStart(5, '0')}-of-${count!}`),
  )
  return paths.some((shard) => exists(files, shard)) ? paths : null
}

/** Files of the V1 checkpoint at `path`: one of its shards, their pattern, their prefix, or the single file. */
export function v1Files(files: FilePort, path: string): string[] | null {
  const shards = shardsOf(files, path)
  if (shards !== null) return shards
  if (exists(files, path)) return isDirectory(files, path) ? null : [path]
  const directory = dirname(path)
  if (!exists(files, directory)) return null
  const shard = files
    .list(directory)
    .find((name) => isShard(name) && SHARD.exec(name)?.groups?.prefix === basename(path))
  return shard === undefined ? null : shardsOf(files, join(directory, shard))
}

/** Names of the V1 checkpoints in a directory: patterns of sharded ones, and single files that are tables. */
export function v1Names(files: FilePort, directory: string, names: readonly string[]): string[] {
  const single = names.filter(
    (name) =>
      /\.ckpt(-\d+)?$/.test(name) && !names.includes(`${name}.index`) && endsAsTable(files, join(directory, name)),
  )
  return [...new Set([...single, ...names.filter(isShard).map(pattern)])].sort()
}

/** True if a file whose first bytes are of no known kind may be a V1 checkpoint. */
export const mayBeV1 = (files: FilePort, path: string): boolean =>
  isShard(basename(path)) || /\.ckpt(-\d+)?$/.test(path) || endsAsTable(files, path)
