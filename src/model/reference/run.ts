import type { TensorSource } from '../../formats/core/source.js'
import type { AlbertModel } from '../albert.js'
import { forward, takesChoices } from '../forward.js'
import type { HeadSelection } from '../tasks.js'
import { selectOutputs } from '../outputs.js'
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
}

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
    heads,
  )
  const named = new Map(selectOutputs(outputs, true))
  const mapped = outputs.embedding_hidden_mapping_in
  if (mapped !== null) named.set('embedding_hidden_mapping_in', mapped)
  return named
}

/**
 * Runs the float64 reference and gives every named value of the forward pass: the outputs of `selectOutputs` and
 * `embedding_hidden_mapping_in`.
 * @param dynamic weights whose products quantise what they are given, as an int8 file may have them
 */
export function runReference(
  model: AlbertModel,
  source: TensorSource,
  inputs: ModelInputs,
  heads: HeadSelection,
  dynamic?: DynamicWeights,
): Map<string, Tensor> {
  const uses = useCounts(model)
  const ops = dynamic === undefined ? new ReferenceOps(source, uses) : new DynamicReferenceOps(source, uses, dynamic)
  return run(ops, model, inputs, heads)
}

/** The same values in float32 arithmetic. */
export const runFloat32 = (
  model: AlbertModel,
  source: TensorSource,
  inputs: ModelInputs,
  heads: HeadSelection,
): Map<string, Tensor> => run(new Float32ReferenceOps(source, useCounts(model)), model, inputs, heads)
