import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { makeFolders, OutputFile, tidy, writing } from '../files/output-file.js'
import { writes } from '../files/write-port.js'
import { hashFile } from '../files/hash-file.js'
import { onInterrupt } from '../base/interrupt.js'
import { removeAbandoned, temporaryIn } from '../base/temporary-folder.js'
import type { Shard } from './line-index.js'
import {
  difference,
  manifestName,
  readManifest,
  shardName,
  type ShardFile,
  type ShardManifest,
  type ShardTask,
} from './manifest.js'

/** Output of the work of a shard: one or more complete lines per call, line feeds included. */
export interface ShardOutput {
  write(lines: string): void
  /** Writes lines that report which lines of the input could not be used, and why. */
  writeError(lines: string): void
}

export interface ShardReport {
  readonly directory: string
  readonly manifest: ShardManifest
  /** True if the shard of the same task existed already and nothing was computed. */
  readonly skipped: boolean
}

/** A file of lines under a temporary name, with its checksum and number of lines. */
class LinesFile {
  readonly #file: OutputFile
  readonly #hash = createHash('sha256')
  #lines = 0
  #open = true

  constructor(path: string) {
    this.#file = new OutputFile(path)
  }

  write(lines: string): void {
    const bytes = Buffer.from(lines, 'utf8')
    this.#file.write(bytes)
    this.#hash.update(bytes)
    for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) this.#lines += 1
  }

  /** Closes the file when it is on the disk. */
  close(name: string): ShardFile {
    this.#file.sync()
    this.release()
    return { file: name, sha256: this.#hash.digest('hex'), bytes: this.#file.bytes, lines: this.#lines }
  }

  /** Closes the file if it is still open. */
  release(): void {
    if (this.#open) this.#file.close()
    this.#open = false
  }

  get path(): string {
    return this.#file.path
  }
}

const holds = (directory: string, { file, sha256, bytes }: ShardFile): boolean => {
  const path = join(directory, basename(file))
  if (!existsSync(path)) return false
  const hash = hashFile(path)
  return hash.sha256 === sha256 && hash.bytes === bytes
}

/** Manifest of an existing, complete shard of this task; null if the shard must be computed. */
function finished(directory: string, task: ShardTask, shard: Shard): ShardManifest | null {
  const name = manifestName(shard)
  if (!existsSync(join(directory, name))) return null
  const manifest = readManifest(directory, name)
  const same = difference(manifest, task) === null && JSON.stringify(manifest.shard) === JSON.stringify(shard)
  const files = [manifest.output, ...(manifest.errors === null ? [] : [manifest.errors])]
  return same && files.every((file) => holds(directory, file)) ? manifest : null
}

/**
 * Computes one shard into `directory`: its lines, the lines that could not be used and, last, the manifest that marks
 * it as complete. A complete shard is not computed again; two processes that compute it at once write the same bytes,
 * each under temporary names until the end, so that a queue may run a job more than once.
 * @throws AlbertkitError `output`, and errors of `work`
 */
export async function runShard(
  directory: string,
  task: ShardTask,
  shard: Shard,
  work: (output: ShardOutput) => Promise<void>,
  extension = 'jsonl',
): Promise<ShardReport> {
  makeFolders(directory)
  const done = finished(directory, task, shard)
  if (done !== null) return { directory, manifest: done, skipped: true }
  removeAbandoned(directory)
  const names = { output: `${shardName(shard)}.${extension}`, errors: `${shardName(shard)}.errors.jsonl` }
  const own = (): string => temporaryIn(directory)
  const temporary = { output: own(), errors: own(), manifest: own() }
  const discard = (): void => {
    tidy(...Object.values(temporary))
  }
  const forget = onInterrupt(discard)
  let output: LinesFile | null = null
  let errors: LinesFile | null = null
  try {
    const answers = (output = new LinesFile(temporary.output))
    await work({
      write: (lines) => {
        answers.write(lines)
      },
      writeError: (lines) => {
        errors ??= new LinesFile(temporary.errors)
        errors.write(lines)
      },
    })
    const failed = errors as LinesFile | null
    const manifest: ShardManifest = {
      format: 'albertkit-shard',
      version: 1,
      ...task,
      shard,
      output: answers.close(names.output),
      errors: failed === null ? null : failed.close(names.errors),
    }
    const described = new LinesFile(temporary.manifest)
    try {
      described.write(`${JSON.stringify(manifest, null, 2)}\n`)
      described.close('')
    } finally {
      described.release()
    }
    writing(directory, () => {
      writes.rename(temporary.output, join(directory, names.output))
      if (failed !== null) writes.rename(failed.path, join(directory, names.errors))
      // The manifest promises the files, so they must be on the disk before it.
      writes.syncPath(directory)
      writes.rename(temporary.manifest, join(directory, manifestName(shard)))
      writes.syncPath(directory)
    })
    return { directory, manifest, skipped: false }
  } finally {
    output?.release()
    ;(errors as LinesFile | null)?.release()
    discard()
    forget()
  }
}
