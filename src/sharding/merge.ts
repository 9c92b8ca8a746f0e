import { createHash } from 'node:crypto'
import { closeSync, existsSync, openSync, readdirSync, readSync } from 'node:fs'
import { basename, join } from 'node:path'
import { malformed, unreadable, usage } from '../base/errors.js'
import { addSource } from '../base/sources.js'
import { refuseExisting, WholeFile } from '../files/atomic-file.js'
import { Turns } from '../base/yield.js'
import { difference, MANIFEST_NAME, readManifest, shardName, type ShardFile, type ShardManifest } from './manifest.js'

/** Shards of a directory: complete, of one task, in order. */
export interface ShardSet {
  readonly directory: string
  readonly manifests: readonly [ShardManifest, ...ShardManifest[]]
}

export interface MergeReport {
  readonly command: ShardManifest['command']
  readonly shards: number
  /** Number of lines of the input. */
  readonly inputLines: number
  readonly output: ShardFile
  readonly errors: ShardFile | null
}

/** Manifests by shard index. Their names do not sort that way if there are 100,000 shards or more. */
function listManifests(directory: string): ShardManifest[] {
  let names: string[]
  try {
    names = readdirSync(directory).filter((name) => MANIFEST_NAME.test(name))
  } catch (error) {
    throw unreadable('the directory of shards', directory, error)
  }
  return names
    .sort()
    .map((name) => {
      addSource(join(directory, name))
      return readManifest(directory, name)
    })
    .sort((a, b) => a.shard.index - b.shard.index)
}

const list = (numbers: readonly number[]): string =>
  numbers.length > 8 ? `${numbers.slice(0, 8).join(', ')} and ${numbers.length - 8} more` : numbers.join(', ')

/** Checks that each shard begins at the end of the previous one, and that the last ends at the end of the input. */
function checkJoints(directory: string, manifests: readonly ShardManifest[]): void {
  let offset = 0
  let line = 1
  for (const { shard } of manifests) {
    const file = join(directory, `${shardName(shard)}.json`)
    const hint = 'compute all shards again from one input'
    if (shard.offset < offset || shard.firstLine < line)
      throw malformed(`shard ${shard.index + 1} overlaps the previous one`, {
        code: 'shard-mismatch',
        file,
        offset: shard.offset,
        hint,
      })
    if (shard.offset > offset || shard.firstLine > line)
      throw malformed(`there is a gap before shard ${shard.index + 1}`, { code: 'shard-mismatch', file, offset, hint })
    offset += shard.bytes
    line += shard.lines
  }
  const { input } = manifests[0]!
  if (offset !== input.bytes || line - 1 !== input.lines)
    throw malformed(`the shards cover ${line - 1} of the input's ${input.lines} lines`, {
      code: 'shard-mismatch',
      file: directory,
      offset,
    })
}

/**
 * Reads the manifests of a directory and checks that its shards are complete and of one task.
 * @throws AlbertkitError `malformed` for a gap, an overlap or shards of different tasks; `usage` if there are none
 */
export function readShards(directory: string): ShardSet {
  const manifests = listManifests(directory)
  const [first, ...others] = manifests
  if (first === undefined)
    throw usage('the directory holds no shards', {
      code: 'file-missing',
      file: directory,
      hint: 'shards are written by predict, evaluate and embed, each for one part of a file',
    })
  for (const other of others) {
    const file = join(directory, `${shardName(other.shard)}.json`)
    if (other.shard.count !== first.shard.count)
      throw malformed(`shards of ${first.shard.count} and of ${other.shard.count} overlap`, {
        code: 'shard-mismatch',
        file,
        hint: 'remove the shards of the other run',
      })
    const what = difference(first, other)
    if (what !== null)
      throw malformed(`${what} of shard ${other.shard.index + 1} differs from shard ${first.shard.index + 1}`, {
        code: 'shard-mismatch',
        file,
        hint: 'remove that shard and compute it again',
      })
  }
  const present = new Set(manifests.map(({ shard }) => shard.index))
  const absent = Array.from({ length: first.shard.count }, (_, i) => i).filter((i) => !present.has(i))
  if (absent.length > 0)
    throw malformed(`${absent.length} of ${first.shard.count} shards are missing: ${list(absent.map((i) => i + 1))}`, {
      code: 'shard-mismatch',
      file: directory,
      hint: `compute them; the first is shard ${absent[0]! + 1}/${first.shard.count}`,
    })
  checkJoints(directory, manifests)
  return { directory, manifests: [first, ...others] }
}

const PIECE = 1024 * 1024

/** Bytes of a shard's file, in pieces; their checksum is compared with the manifest after the last piece. */
export function* readShardFile(directory: string, { file, sha256 }: ShardFile): Generator<Uint8Array> {
  const path = join(directory, basename(file))
  if (!existsSync(path))
    throw malformed('a file of the shard is missing', {
      code: 'file-missing',
      file: path,
      hint: 'compute the shard again',
    })
  addSource(path)
  const descriptor = openSync(path, 'r')
  try {
    const hash = createHash('sha256')
    for (;;) {
      const piece = new Uint8Array(PIECE)
      const n = readSync(descriptor, piece, 0, PIECE, null)
      if (n === 0) break
      hash.update(piece.subarray(0, n))
      yield piece.subarray(0, n)
    }
    if (hash.digest('hex') !== sha256)
      throw malformed("the shard's file differs from its manifest (SHA-256)", {
        code: 'checksum-mismatch',
        file: path,
        hint: 'remove it and its manifest, and compute the shard again',
      })
  } finally {
    closeSync(descriptor)
  }
}

/** Concatenates the files into `path`, which appears complete or not at all. */
async function concatenate(directory: string, files: readonly ShardFile[], path: string): Promise<ShardFile> {
  const output = new WholeFile(path)
  try {
    const hash = createHash('sha256')
    const turns = new Turns()
    for (const file of files)
      for (const piece of readShardFile(directory, file)) {
        hash.update(piece)
        output.write(piece)
        await turns.next()
      }
    await output.flush()
    output.commit()
    const lines = files.reduce((sum, file) => sum + file.lines, 0)
    return { file: path, sha256: hash.digest('hex'), bytes: output.bytes, lines }
  } finally {
    output.discard()
  }
}

export interface MergeOptions {
  readonly output: string
  /** File for the lines that could not be used; if absent, they are left in the shards. */
  readonly errors?: string
  readonly force?: boolean
}

/**
 * Joins the shards of a directory into one file, identical to the file that a single run writes.
 * @throws AlbertkitError `malformed` for gaps, overlaps, damaged files and shards of another model; `output`
 */
export async function mergeShards(
  set: ShardSet,
  { output, errors, force = false }: MergeOptions,
): Promise<MergeReport> {
  for (const path of [output, errors]) if (path !== undefined) refuseExisting(path, force)
  const { directory, manifests } = set
  return {
    command: manifests[0].command,
    shards: manifests.length,
    inputLines: manifests[0].input.lines,
    output: await concatenate(
      directory,
      manifests.map((manifest) => manifest.output),
      output,
    ),
    errors: await mergeErrors(set, errors),
  }
}

/** Joins the lines that could not be used into `path`; null if there are no such lines or no path. */
export async function mergeErrors(
  { directory, manifests }: ShardSet,
  path: string | undefined,
): Promise<ShardFile | null> {
  const failed = manifests.flatMap(({ errors }) => (errors === null ? [] : [errors]))
  return failed.length === 0 || path === undefined ? null : concatenate(directory, failed, path)
}
