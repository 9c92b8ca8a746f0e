import { buildHeader, type TensorPlan } from '../../formats/safetensors/write.js'
import { refuseExisting, WholeFile } from '../../files/atomic-file.js'
import { inputShape } from '../../model/reference/run.js'
import type { TestCase } from './test-cases.js'

/** A tensor with its bytes. */
interface Saved extends TensorPlan {
  readonly data: ArrayLike<number>
}

const bytesOf = ({ dtype, data }: Saved): Uint8Array => {
  if (dtype === 'I64')
    return new Uint8Array(BigInt64Array.from({ length: data.length }, (_, i) => BigInt(data[i]!)).buffer)
  return new Uint8Array(Float32Array.from(data).buffer)
}

function tensorsOf({ inputs, expected }: TestCase): Saved[] {
  const shape = inputShape(inputs, inputs.choices !== undefined)
  const ids = (['input_ids', 'attention_mask', 'token_type_ids'] as const).map((name): Saved => ({
    name,
    dtype: 'I64',
    shape,
    data: inputs[name],
  }))
  const outputs = [...expected].map(([name, { shape: of, data }]): Saved => ({ name, dtype: 'F32', shape: of, data }))
  // Wide elements first, so that every tensor is aligned to its element size.
  return [...ids, ...outputs]
}

/**
 * Writes inputs and the arbiter's outputs as a golden: int64 inputs and float32 outputs, under the names of artefacts.
 * @throws AlbertkitError `output`
 */
export function saveTestCase(path: string, testCase: TestCase, force: boolean): void {
  refuseExisting(path, force)
  const file = new WholeFile(path)
  try {
    const tensors = tensorsOf(testCase)
    file.write(buildHeader(tensors, { format: 'pt' }))
    for (const tensor of tensors) file.write(bytesOf(tensor))
    file.commit()
  } finally {
    file.discard()
  }
}
