import { DTYPE_BYTES, elementCount, type TensorSource } from '../../src/formats/core/source.js'
import { planModel } from '../../src/model/load/build.js'
import { identify } from '../../src/model/names/identify.js'
import type { Subject } from '../../src/model/reference/run.js'
import type { PlannedTensor, Translation } from '../../src/model/rewrite/translation.js'
import { classifierKindOf } from '../../src/model/tasks.js'
import { encodeFloats } from '../../src/model/tensors/encode.js'
import { readLogical, readStored } from '../../src/model/tensors/read.js'
import { transpose } from '../../src/model/tensors/transpose.js'
import { planRandomModel, type Edit, type Kind, type Shape } from './random-model.js'
import { MemorySource } from './tiny-model.js'

/** Values of a planned tensor in the order of its file. */
export function valuesOf({ origin, logicalShape, shape, transposed }: PlannedTensor, from: TensorSource): Float32Array {
  const values = new Float32Array(elementCount(shape))
  if (origin.kind === 'computed') origin.fill(0, values)
  // A kernel of groups is planned as it is stored.
  else if (!transposed && shape.join() !== logicalShape.join()) readStored(from, origin.parameter, 0, values)
  else values.set(readLogical(from, origin.parameter))
  if (!transposed) return values
  const stored = new Float32Array(values.length)
  transpose(values, logicalShape[0] ?? 1, logicalShape[1] ?? 1, stored)
  return stored
}

/** A planned model as a reader of its files would have it: written into memory, identified and built. */
export function builtFrom(plan: Translation, from: TensorSource): Subject & { readonly source: MemorySource } {
  const source = new MemorySource()
  for (const tensor of plan.tensors) {
    const values = valuesOf(tensor, from)
    const bytes = new Uint8Array(values.length * DTYPE_BYTES[tensor.dtype])
    encodeFloats(tensor.dtype, values, bytes)
    source.set(tensor.name, tensor.dtype, tensor.shape, bytes)
  }
  const { model, error } = planModel(source, identify(source), plan.config)
  if (error !== null) throw error
  return { model, source }
}

/** A model of any kind in memory, under the names of its own family. */
export function memoryModel(kind: Kind, shape: Shape, edit?: Edit): Subject & { readonly source: MemorySource } {
  const plan = planRandomModel(kind, shape, 0.3, edit)
  const task = shape.heads.includes('token-classifier')
    ? 'token-classification'
    : shape.heads.includes('multiple-choice')
      ? 'multiple-choice'
      : undefined
  const classifier_kind = classifierKindOf(task)
  const config = classifier_kind === undefined ? plan.config : { ...plan.config, classifier_kind }
  return builtFrom({ ...plan, config }, new MemorySource())
}
