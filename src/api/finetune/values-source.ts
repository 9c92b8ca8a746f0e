import type { DType, TensorInfo, TensorSource } from '../../formats/core/source.js'

/** A tensor in memory. */
export interface HeldTensor {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
  /** Elements, row-major. */
  readonly data: Float32Array | BigInt64Array
}

/** Source over tensors in memory: weights that were trained. */
export class ValuesSource implements TensorSource {
  readonly format = 'memory'
  readonly files: readonly string[] = []
  readonly notes: readonly string[] = []
  readonly tensors: ReadonlyMap<string, TensorInfo>
  readonly #bytes: ReadonlyMap<string, Uint8Array>

  constructor(held: readonly HeldTensor[]) {
    this.#bytes = new Map(
      held.map(({ name, data }) => [name, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]),
    )
    this.tensors = new Map(
      held.map(({ name, dtype, shape, data }) => [name, { name, dtype, shape, byteLength: data.byteLength, file: '' }]),
    )
  }

  read(name: string, offset: number, target: Uint8Array): void {
    const bytes = this.#bytes.get(name)
    if (bytes === undefined) throw new RangeError(`no tensor named ${name}`)
    target.set(bytes.subarray(offset, offset + target.length))
  }

  verifyChecksum(): void {
    return
  }

  close(): void {
    return
  }
}
