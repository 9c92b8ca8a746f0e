import type { TensorInfo, TensorSource } from '../../formats/core/source.js'
import type { PlannedTensor } from '../../model/rewrite/translation.js'
import { byteLengthOf, TensorStream } from './stream.js'

/**
 * Source over the tensors of a planned file, to run a model without writing the file. A tensor is computed as a whole
 * when it is first read, and the last one is cached.
 */
export class PlannedSource implements TensorSource {
  readonly format = 'planned'
  readonly files: readonly string[] = []
  readonly notes: readonly string[] = []
  readonly tensors: ReadonlyMap<string, TensorInfo>
  readonly #planned: ReadonlyMap<string, PlannedTensor>
  readonly #stream: TensorStream
  #made: { readonly name: string; readonly bytes: Uint8Array } | null = null

  /** @param source source of the plan's tensors */
  constructor(tensors: readonly PlannedTensor[], source: TensorSource) {
    this.#stream = new TensorStream(source)
    this.#planned = new Map(tensors.map((tensor) => [tensor.name, tensor]))
    this.tensors = new Map(
      tensors.map((tensor) => {
        const { name, dtype, shape } = tensor
        return [name, { name, dtype, shape, byteLength: byteLengthOf(tensor), file: '' }]
      }),
    )
  }

  read(name: string, offset: number, target: Uint8Array): void {
    target.set(this.#whole(name).subarray(offset, offset + target.length))
  }

  #whole(name: string): Uint8Array {
    if (this.#made?.name === name) return this.#made.bytes
    const tensor = this.#planned.get(name)
    if (tensor === undefined) throw new RangeError(`no tensor named ${name}`)
    const bytes = new Uint8Array(byteLengthOf(tensor))
    let at = 0
    this.#stream.stream(tensor, (piece) => {
      bytes.set(piece, at)
      at += piece.length
    })
    this.#made = { name, bytes }
    return bytes
  }

  verifyChecksum(): void {
    return
  }

  close(): void {
    this.#made = null
  }
}
