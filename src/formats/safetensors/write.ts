import { closeSync, openSync, writeSync } from 'node:fs'
import { DTYPE_BYTES, elementCount, type DType } from '../core/source.js'

/** A tensor that is to be written. */
export interface TensorPlan {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
}

/** The header with padding, so that the data begins at a multiple of eight (as the official library writes it). */
export function buildHeader(tensors: readonly TensorPlan[], metadata: Readonly<Record<string, string>>): Buffer {
  let offset = 0
  const entries = tensors.map(({ name, dtype, shape }): [string, object] => {
    const end = offset + elementCount(shape) * DTYPE_BYTES[dtype]
    const entry = { dtype, shape, data_offsets: [offset, end] }
    offset = end
    return [name, entry]
  })
  const all = [...(Object.keys(metadata).length > 0 ? [['__metadata__', metadata] as const] : []), ...entries]
  const json = Buffer.from(
    `{${all.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`,
  )
  const padded = Buffer.alloc(Math.ceil(json.length / 8) * 8, ' ')
  json.copy(padded)
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(padded.length))
  return Buffer.concat([length, padded])
}

/**
 * Writes a safetensors file; `write` gives the bytes of each tensor to `sink`, in the order of `tensors`.
 */
export function writeSafetensors(
  path: string,
  tensors: readonly TensorPlan[],
  write: (tensor: TensorPlan, sink: (bytes: Uint8Array) => void) => void,
  metadata: Readonly<Record<string, string>> = {},
): void {
  const descriptor = openSync(path, 'w')
  const put = (bytes: Uint8Array): void => {
    for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done)
  }
  try {
    put(buildHeader(tensors, metadata))
    for (const tensor of tensors) write(tensor, put)
  } finally {
    closeSync(descriptor)
  }
}
