import { closeSync, openSync, readSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { io } from '@tensorflow/tfjs-core'
import type { ModelJson } from './tfjs-names.js'

/** Bytes of one stored value; strings have no fixed size, and albertkit writes none. */
const BYTES: Readonly<Record<string, number>> = { float32: 4, int32: 4, uint16: 2, float16: 2, uint8: 1, bool: 1 }

const bytesOf = ({ shape, dtype, quantization }: io.WeightsManifestEntry): number =>
  shape.reduce((n, d) => n * d, 1) * (BYTES[quantization?.dtype ?? dtype] ?? 0)

/**
 * Reads the concatenated shards in pieces of requested sizes, each in its own ArrayBuffer, since tfjs takes `.buffer`
 * of a view and ignores its offset.
 */
class Shards {
  #descriptor: number | null = null

  constructor(readonly paths: string[]) {}

  /** Reads the next `size` bytes; fewer at the end of the last shard. */
  next(size: number): ArrayBuffer {
    const bytes = new Uint8Array(size)
    let done = 0
    while (done < size) {
      this.#descriptor ??= this.#open()
      if (this.#descriptor === null) break
      const n = readSync(this.#descriptor, bytes, done, size - done, null)
      if (n === 0) this.close()
      done += n
    }
    return bytes.buffer.slice(0, done)
  }

  #open(): number | null {
    const path = this.paths.shift()
    return path === undefined ? null : openSync(path, 'r')
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor)
    this.#descriptor = null
  }
}

/**
 * IOHandler for `loadGraphModel` that reads from disk, weight by weight: a large model is in memory once, in the
 * backend, not three times.
 */
export function ioHandler(file: string, json: ModelJson): io.IOHandler {
  const weightSpecs = json.weightsManifest.flatMap((group) => group.weights) as io.WeightsManifestEntry[]
  const paths = json.weightsManifest.flatMap((group) => group.paths)
  const getWeightStream = (): ReadableStream<ArrayBuffer> => {
    const shards = new Shards(paths.map((path) => join(dirname(file), path)))
    const sizes = weightSpecs.map(bytesOf)
    return new ReadableStream<ArrayBuffer>(
      {
        pull: (controller) => {
          const size = sizes.shift()
          if (size === undefined) {
            shards.close()
            controller.close()
          } else controller.enqueue(shards.next(size))
        },
        cancel: () => {
          shards.close()
        },
      },
      { highWaterMark: 0 },
    )
  }
  const artefacts = { ...json, weightSpecs, getWeightStream }
  return { load: () => Promise.resolve(artefacts as unknown as io.ModelArtifacts) }
}
