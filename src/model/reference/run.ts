import { elementCount, type TensorSource } from '../../formats/core/source.js'
import type { AlbertModel, Parameter } from '../albert.js'
import { forward, takesChoices } from '../forward.js'
import type { HeadSelection } from '../tasks.js'
import { selectOutputs } from '../outputs.js'
import { Pool } from './pool.js'
import { THIS_THREAD, type Processors } from './processors.js'
import { DynamicReferenceOps, type DynamicWeights } from './reference-dynamic.js'
import { Float32ReferenceOps } from './reference-float32.js'
import { integers, ReferenceOps, type Tensor } from './reference.js'
import { TogetherOps, type Tensors } from './together.js'
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

/** Runs the model on inputs that the same heads run on; gives the named values of each. */
function run(
  { ops, pool }: { readonly ops: ReferenceOps; readonly pool: Pool },
  model: AlbertModel,
  inputs: readonly ModelInputs[],
  heads: HeadSelection,
): Map<string, Tensor>[] {
  const tensors = (field: 'input_ids' | 'attention_mask' | 'token_type_ids'): Tensors =>
    inputs.map((x) => integers(x[field], inputShape(x, takesChoices(model, heads))))
  const outputs = forward(
    model,
    new TogetherOps(ops, pool),
    {
      input_ids: tensors('input_ids'),
      attention_mask: tensors('attention_mask'),
      token_type_ids: tensors('token_type_ids'),
    },
    headsOn(heads, inputs[0] ?? {}),
  )
  pool.clear()
  const named = selectOutputs(outputs, true)
  const mapped = outputs.embedding_hidden_mapping_in
  if (mapped !== null) named.push(['embedding_hidden_mapping_in', mapped])
  return inputs.map((_, i) => new Map(named.map(([name, values]) => [name, values[i]!])))
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

/** Tokens that are computed together at most, unless a single input has more: their inner values are held at once. */
const TOKENS_TOGETHER = 1024

/** Inputs in their order, in groups that are computed together. A scale of a whole tensor is that of one input. */
function groupsOf({ inputs, dynamic }: Runs): ModelInputs[][] {
  const alone = dynamic?.by === 'tensor' && dynamic.axes.size > 0
  const groups: ModelInputs[][] = []
  let tokens = 0
  for (const x of inputs) {
    const last = groups[groups.length - 1]
    const added = x.batch * x.sequence
    tokens += added
    if (
      last === undefined ||
      alone ||
      tokens > TOKENS_TOGETHER ||
      (last[0]?.withoutMlm ?? false) !== (x.withoutMlm ?? false)
    ) {
      groups.push([x])
      tokens = added
    } else last.push(x)
  }
  return groups
}

/**
 * Runs the reference and gives, for each of the inputs, every named value of the forward pass: the outputs of
 * `selectOutputs` and `embedding_hidden_mapping_in`.
 */
export function runAll(subject: Subject, runs: Runs, computing: Computing = {}): Map<string, Tensor>[] {
  const { processors = THIS_THREAD, onLayer } = computing
  const { heads } = runs
  const pool = new Pool(processors)
  const groups = groupsOf(runs)
  const once = useCounts(subject.model)
  const kept = weightBytes(once) <= KEPT_BYTES
  const uses = kept ? new Map([...once].map(([p, n]) => [p, n * groups.length])) : once
  const fresh = (): ReferenceOps => {
    const ops = opsFor(subject, runs, uses, pool)
    if (onLayer !== undefined) ops.onLayer = onLayer
    return ops
  }
  const shared = kept ? fresh() : null
  return groups.flatMap((group) => run({ ops: shared ?? fresh(), pool }, subject.model, group, heads))
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
