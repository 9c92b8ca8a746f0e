import type { TensorSource } from '../formats/core/source.js'
import type { AlbertModel } from '../model/albert.js'
import { forward, takesChoices } from '../model/forward.js'
import type { HeadSelection } from '../model/tasks.js'
import type { Processors } from '../model/reference/processors.js'
import { inputShape, type Computing, type ModelInputs } from '../model/reference/run.js'
import { hiddenStateCount } from '../model/outputs.js'
import { integers, ReferenceOps, type Tensor } from '../model/reference/reference.js'
import { useCounts } from '../model/tensors/read.js'
import { compare, maskedRows, type Bound, type Comparison, type Values } from './compare.js'
import { stageOf, type Operation } from './stages.js'

/** Comparison of a single operation of a run. */
export interface Step extends Comparison {
  /** Counts from 0; −1 is the embeddings, null a head. */
  readonly layer: number | null
  readonly operation: Operation
}

/**
 * Float64 reference that continues from the runtime's values: each inner value is computed from the runtime's own
 * values of the preceding operations, compared, and replaced by the runtime's. Thus an error shows at the operation
 * that makes it and not after it.
 */
class ReplayOps extends ReferenceOps {
  readonly steps: Step[] = []
  readonly #masked: readonly boolean[]

  constructor(
    readonly request: ReplayRequest,
    uses: ConstructorParameters<typeof ReferenceOps>[1],
    readonly innerLayers: number,
    processors?: Processors,
  ) {
    super(request.source, uses, processors)
    const { inputs } = request
    this.#masked = maskedRows(inputs.attention_mask, inputs.batch, inputs.sequence)
  }

  override inner(name: string, x: Tensor): Tensor {
    const full = this.names.of(name)
    const { run, runner, bound } = this.request
    const given = run.get(full)
    if (given === undefined) return x
    // Graphs hold [B, S, w] as [B·S, w] between matrix products; row-major, the numbers are the same.
    const actual = given.data.length === x.data.length ? { shape: x.shape, data: given.data } : given
    const stage = stageOf(full, this.innerLayers)
    const compared = compare(runner, full, actual, x, { bound: bound(stage.operation), masked: this.#masked })
    this.steps.push(...compared.map((c) => ({ ...c, ...stage })))
    if (actual === given) return x
    const data = this.processors.float64(x.data.length)
    data.set(given.data)
    return { shape: x.shape, data }
  }
}

/** A run whose operations are to be compared one by one. */
export interface ReplayRequest {
  readonly model: AlbertModel
  readonly source: TensorSource
  readonly inputs: ModelInputs
  readonly heads: HeadSelection
  /** Name of the runner. */
  readonly runner: string
  /** Inner values of the runtime, by their paths; the reference computes absent ones. */
  readonly run: ReadonlyMap<string, Values>
  /** Bound of each kind of operation. */
  readonly bound: (operation: Operation) => Bound
}

/**
 * Compares every operation of a run with the reference, each by itself.
 * @returns the operations in the order of computation; fully masked rows have separate entries
 */
export function replay(request: ReplayRequest, { processors, onLayer }: Computing = {}): Step[] {
  const { model, inputs, heads } = request
  const layers = Math.round(hiddenStateCount(model) / model.layers.length)
  const ops = new ReplayOps(request, useCounts(model), layers, processors)
  if (onLayer !== undefined) ops.onLayer = onLayer
  const shape = inputShape(inputs, takesChoices(model, heads))
  forward(
    model,
    ops,
    {
      input_ids: integers(inputs.input_ids, shape),
      attention_mask: integers(inputs.attention_mask, shape),
      token_type_ids: integers(inputs.token_type_ids, shape),
    },
    heads,
  )
  return ops.steps
}
