import { elementCount, type TensorSource } from '../../formats/core/source.js'
import type { AlbertModel, Parameter } from '../albert.js'
import { forward, takesChoices } from '../forward.js'
import type { HeadSelection } from '../tasks.js'
import { selectOutputs } from '../outputs.js'
import type { Processors } from './processors.js'
import { DynamicReferenceOps, type DynamicWeights } from './reference-dynamic.js'
import { Float32ReferenceOps } from './reference-float32.js'
import { integers, ReferenceOps, type Tensor } from './reference.js'
import { useCounts } from '../tensors/read.js'

/** Token ids and masks of a batch, row-major `[batch, sequence]`. */
export interface ModelInputs {
  /** Rows. */
  readonly batch: number
  /** Multiple choice: how many rows after one another are the choices of one example; divides `batch`. */
  readonly choices?: number
  readonly sequence: number
  readonly input_ids: Int32Array
  readonly attention_mask: Int32Array
  readonly token_type_ids: Int32Array
  /** True if the masked-token head is left out, whose output is large and which reads every token by itself. */
  readonly withoutMlm?: boolean
}

/** The heads that run on `inputs`. */
export const headsOn = (
  heads: HeadSelection,
  { withoutMlm = false }: Pick<ModelInputs, 'withoutMlm'>,
): HeadSelection => (withoutMlm ? { ...heads, mlm: false } : heads)

/** Shape of the inputs as a model takes them: `[batch, sequence]`, or `[batch, choices, sequence]`. */
export const inputShape = ({ batch, sequence, choices = 1 }: ModelInputs, asChoices: boolean): number[] =>
  asChoices ? [batch / choices, choices, sequence] : [batch, sequence]

function run(ops: ReferenceOps, model: AlbertModel, inputs: ModelInputs, heads: HeadSelection): Map<string, Tensor> {
  const shape = inputShape(inputs, takesChoices(model, heads))
  const outputs = forward(
    model,
    ops,
    {
      input_ids: integers(inputs.input_ids, shape),
      attention_mask: integers(inputs.attention_mask, shape),
      token_type_ids: integers(inputs.token_type_ids, shape),
    },
    headsOn(heads, inputs),
  )
  const named = new Map(selectOutputs(outputs, true))
  const mapped = outputs.embedding_hidden_mapping_in
  if (mapped !== null) named.set('embedding_hidden_mapping_in', mapped)
  return named
}

/** A model and the source of its weights. */
export interface Subject {
  readonly model: AlbertModel
  readonly source: TensorSource
}

/** Runs of a model on inputs, one after the other. */
export interface Runs {
  readonly inputs: readonly ModelInputs[]
  readonly heads: HeadSelection
  /** Default float64; float32 shows the error of plain float32 arithmetic. */
  readonly arithmetic?: 'float64' | 'float32'
  /** Weights whose products quantise their activations dynamically, as in an int8 file. */
  readonly dynamic?: DynamicWeights
}

/** Options of the computation of a reference. */
export interface Computing {
  readonly processors?: Processors
  /** Called after each layer of each input. */
  readonly onLayer?: () => void
}

/** Weights of at most this size are kept from run to run. */
const KEPT_BYTES = 256 * 1024 * 1024

const weightBytes = (uses: ReadonlyMap<Parameter, number>): number =>
  [...uses.keys()].reduce((n, { shape }) => n + 4 * elementCount(shape), 0)

function opsFor({ source }: Subject, { arithmetic, dynamic }: Runs, uses: Map<Parameter, number>, on?: Processors) {
  if (arithmetic === 'float32') return new Float32ReferenceOps(source, uses, on)
  return dynamic === undefined ? new ReferenceOps(source, uses, on) : new DynamicReferenceOps(source, uses, dynamic, on)
}

/**
 * Runs the reference and gives, for each of the inputs, every named value of the forward pass: the outputs of
 * `selectOutputs` and `embedding_hidden_mapping_in`.
 */
export function runAll(subject: Subject, runs: Runs, { processors, onLayer }: Computing = {}): Map<string, Tensor>[] {
  const { inputs, heads } = runs
  const once = useCounts(subject.model)
  const kept = weightBytes(once) <= KEPT_BYTES
  const uses = kept ? new Map([...once].map(([p, n]) => [p, n * inputs.length])) : once
  const fresh = (): ReferenceOps => {
    const ops = opsFor(subject, runs, uses, processors)
    if (onLayer !== undefined) ops.onLayer = onLayer
    return ops
  }
  const shared = kept ? fresh() : null
  return inputs.map((x) => run(shared ?? fresh(), subject.model, x, heads))
}

/**
 * Runs the float64 reference and gives every named value of the forward pass: the outputs of `selectOutputs` and
 * `embedding_hidden_mapping_in`.
 * @param dynamic weights whose products quantise their activations dynamically, as in an int8 file
 */
export function runReference(
  model: AlbertModel,
  source: TensorSource,
  inputs: ModelInputs,
  heads: HeadSelection,
  dynamic?: DynamicWeights,
): Map<string, Tensor> {
  const [values] = runAll({ model, source }, { inputs: [inputs], heads, ...(dynamic === undefined ? {} : { dynamic }) })
  return values!
}
