import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs'
import type { DType } from '../../src/formats/core/source.js'
import { writeSafetensors, type TensorPlan } from '../../src/formats/safetensors/write.js'
import { shardPath } from '../../src/formats/tf-bundle/source.js'
import { BundleWriter } from '../../src/formats/tf-bundle/write.js'

type Put = (bytes: Uint8Array) => void

/** Runs `body` with what writes to the file at `path`. */
function writing(path: string, body: (put: Put) => void): void {
  const descriptor = openSync(path, 'w')
  try {
    body((bytes) => {
      writeSync(descriptor, bytes)
    })
  } finally {
    closeSync(descriptor)
  }
}

/** Writes a safetensors file at `path`. */
export function writeSafetensorsFile(
  path: string,
  tensors: readonly TensorPlan[],
  write: (tensor: TensorPlan, put: Put) => void,
  metadata?: Readonly<Record<string, string>>,
): void {
  writing(path, (put) => {
    writeSafetensors(put, tensors, write, metadata)
  })
}

/** Writes a V2 checkpoint of one shard at a prefix. */
export class BundleFiles {
  readonly #parts: Uint8Array[] = []
  readonly #writer = new BundleWriter((bytes) => this.#parts.push(bytes.slice()))

  constructor(readonly prefix: string) {}

  add(name: string, dtype: DType, shape: readonly number[], write: (sink: Put) => void): void {
    this.#writer.add(name, dtype, shape, write)
  }

  finish(): void {
    writeFileSync(shardPath(this.prefix, 0, 1), Buffer.concat(this.#parts))
    writeFileSync(`${this.prefix}.index`, this.#writer.finish())
  }
}
