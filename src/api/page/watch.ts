import type { NamedTensor } from '../../runtime/runner.js'
import type { TextModel } from '../inference/text-model.js'
import { sequentialPool } from '../inference/window.js'

/** Outputs of the runs of a model, and the time that they took. */
export class Seen {
  milliseconds = 0
  readonly #tensors: NamedTensor[] = []

  add(tensors: readonly NamedTensor[], milliseconds: number): void {
    this.#tensors.push(...tensors)
    this.milliseconds += milliseconds
  }

  /** All values, one after the other. @param rows of the last axis that count; null for all */
  values(rows: readonly number[] | null): Float32Array {
    const parts = this.#tensors.flatMap(({ data, shape }) => {
      const size = shape.at(-1) ?? 1
      return rows === null ? [data] : rows.map((row) => data.subarray(row * size, (row + 1) * size))
    })
    const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
    let at = 0
    for (const part of parts) {
      all.set(part, at)
      at += part.length
    }
    return all
  }
}

/** A model whose runs are watched; it runs in the calling thread alone. */
export function watch(model: TextModel): { readonly watched: TextModel; readonly seen: Seen } {
  const seen = new Seen()
  const run: TextModel['run'] = async (batch, outputs) => {
    const start = performance.now()
    const tensors = await model.run(batch, outputs)
    seen.add(tensors, performance.now() - start)
    return tensors
  }
  const readable = { ...model, run }
  return { watched: { ...readable, pool: () => sequentialPool(readable) }, seen }
}
