import { join } from 'node:path'
import { GRAPH_LAYOUTS, inFolder } from '../../base/artefact-layout.js'
import { OutputFile } from '../../files/output-file.js'
import type { WrittenFile } from '../weights/artefact.js'

/** The official converter's size; browsers cache files of this size. */
export const SHARD_BYTES = 4 << 20

/** Names of the shards of a weights group of `total` bytes; at least one. */
export function shardNames(total: number): string[] {
  const count = Math.max(1, Math.ceil(total / SHARD_BYTES))
  return Array.from({ length: count }, (_, i) => `group1-shard${i + 1}of${count}.bin`)
}

/**
 * Cuts a stream of bytes into files of exactly 4 MiB, the last one being smaller. They must all be equal but the last:
 * tfjs 4.22 reads zeros from a last shard that is larger than the others (`CompositeArrayBuffer`), without an error.
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
