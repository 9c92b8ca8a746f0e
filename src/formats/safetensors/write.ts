import { concatBytes, utf8Bytes } from '../../base/bytes.js'
import { DTYPE_BYTES, elementCount, type DType } from '../core/source.js'

/** A tensor that is to be written. */
export interface TensorPlan {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
}

const SPACE = 32

/**
 * Builds the header: its length, then JSON that spaces pad, so that the data begins at a multiple of eight, as the
 * official library writes it.
 * @param least bytes that the header has at least, if it is to be replaced by a longer one
 */
export function buildHeader(
  tensors: readonly TensorPlan[],
  metadata: Readonly<Record<string, string>> = {},
  least = 0,
): Uint8Array {
  let offset = 0
  const entries = tensors.map(({ name, dtype, shape }): [string, object] => {
    const end = offset + elementCount(shape) * DTYPE_BYTES[dtype]
    const entry = { dtype, shape, data_offsets: [offset, end] }
    offset = end
    return [name, entry]
  })
  const all = [...(Object.keys(metadata).length > 0 ? [['__metadata__', metadata] as const] : []), ...entries]
  const json = utf8Bytes(
    `{${all.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`,
  )
  const padded = new Uint8Array(Math.ceil(Math.max(json.length, least - 8) / 8) * 8).fill(SPACE)
  padded.set(json)
  const length = new DataView(new ArrayBuffer(8))
  length.setBigUint64(0, BigInt(padded.length), true)
  return concatBytes([new Uint8Array(length.buffer), padded])
}

/**
 * Writes a safetensors file to `put`; `write` gives the bytes of each tensor, in the order of `tensors`.
 */
export function writeSafetensors(
  put: (bytes: Uint8Array) => void,
  tensors: readonly TensorPlan[],
  write: (tensor: TensorPlan, put: (bytes: Uint8Array) => void) => void,
  metadata: Readonly<Record<string, string>> = {},
): void {
  put(buildHeader(tensors, metadata))
  for (const tensor of tensors) write(tensor, put)
}
