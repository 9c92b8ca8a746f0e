import { join } from '../../formats/core/paths.js'
import { GRAPH_LAYOUTS, inFolder } from '../../base/artefact-layout.js'
import { OutputFile } from '../../files/output-file.js'
import type { WrittenFile } from '../weights/artefact.js'

/** Shard size of the official converter; browsers cache files of this size. */
export const SHARD_BYTES = 4 << 20

/** Names of the shards of a weights group of `total` bytes; at least one. */
export function shardNames(total: number): string[] {
  const count = Math.max(1, Math.ceil(total / SHARD_BYTES))
  return Array.from({ length: count }, (_, i) => `group1-shard${i + 1}of${count}.bin`)
}

/**
 * Splits a byte stream into files of exactly 4 MiB and a smaller last one. The last must not be larger: tfjs 4.22 then
 * reads zeros from it without an error (`CompositeArrayBuffer`).
 */
export class ShardWriter {
  readonly files: WrittenFile[] = []
  #file: OutputFile | null = null

  constructor(
    readonly dir: string,
    readonly names: readonly string[],
    readonly onFile: ((path: string) => void) | undefined,
  ) {}

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const file = (this.#file ??= new OutputFile(join(this.dir, this.names[this.files.length] ?? 'too-many-bytes')))
      const part = bytes.subarray(at, at + SHARD_BYTES - file.bytes)
      file.write(part)
      at += part.length
      if (file.bytes === SHARD_BYTES) this.#finish(file)
    }
  }

  #finish(file: OutputFile): void {
    this.#file = null
    file.close()
    this.files.push({ path: inFolder(GRAPH_LAYOUTS.tfjs, this.names[this.files.length] ?? ''), bytes: file.bytes })
    this.onFile?.(file.path)
  }

  /** Closes the last shard. Call it also after a failure. */
  close(): void {
    if (this.#file !== null) this.#finish(this.#file)
  }
}
