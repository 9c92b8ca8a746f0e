import type { Precision } from '../../base/artefact-layout.js'
import type { DType, TensorSource } from '../../formats/core/source.js'
import { LARGEST_HALF } from '../../model/tensors/half.js'
import { originDtype, type PlannedTensor, type Translation } from '../../model/rewrite/translation.js'
import { TensorStream } from './stream.js'

/** Element type of the tensors by precision; without a precision each tensor keeps the source's. */
const DTYPES = { f32: 'F32', f16: 'F16', bf16: 'BF16' } as const satisfies Partial<Record<Precision, DType>>
export type CheckpointPrecision = keyof typeof DTYPES
export const CHECKPOINT_PRECISIONS = Object.keys(DTYPES) as readonly CheckpointPrecision[]

export const isCheckpointPrecision = (name: Precision): name is CheckpointPrecision => Object.hasOwn(DTYPES, name)

/** Largest magnitude of a tensor in float32. */
function largest(stream: TensorStream, tensor: PlannedTensor): number {
  let most = 0
  stream.stream({ ...tensor, dtype: 'F32' }, (bytes) => {
    for (const value of new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)) {
      const size = Math.abs(value)
      if (size > most) most = size
    }
  })
  return most
}

/**
 * Plans the same file with every tensor in the element type of `precision`. A tensor with values beyond the range of
 * float16 stays float32.
 * @throws AlbertkitError `malformed` from the source
 */
export function inPrecision(
  translation: Translation,
  source: TensorSource,
  precision: CheckpointPrecision,
): Translation {
  const dtype: DType = DTYPES[precision]
  const stream = new TensorStream(source)
  const kept: string[] = []
  const tensors = translation.tensors.map((tensor): PlannedTensor => {
    const fits = dtype !== 'F16' || originDtype(tensor) === 'F16' || largest(stream, tensor) <= LARGEST_HALF
    if (!fits) kept.push(tensor.name)
    return { ...tensor, dtype: fits ? dtype : 'F32' }
  })
  const more = kept.length === 1 ? '' : ` and ${kept.length - 1} more`
  const note =
    `${kept[0] ?? ''}${more} stays float32: it has values beyond ${LARGEST_HALF}, the largest float16 number; ` +
    'bf16 has the range of float32'
  return { ...translation, tensors, notes: kept.length === 0 ? translation.notes : [...translation.notes, note] }
}

/** transformers' name of the element type of a file; float32 if it has several. */
export function torchDtype({ tensors }: Pick<Translation, 'tensors'>): string {
  const kinds = new Set(tensors.map(({ dtype }) => dtype))
  if (kinds.size === 1 && kinds.has('F16')) return 'float16'
  return kinds.size === 1 && kinds.has('BF16') ? 'bfloat16' : 'float32'
}
