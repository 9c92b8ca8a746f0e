import { existsSync } from 'node:fs'
import { create, onnx, toBinary } from '../../proto/onnx.js'

/** Access to inner values of an ONNX file that are not among its outputs. */

/**
 * Adds outputs to a serialised model. Protocol buffers merge a message field that occurs twice, so a second `graph`
 * field that has only outputs adds them; the bytes of the file stay unchanged.
 */
export function withOutputs(model: Uint8Array, names: readonly string[]): Uint8Array {
  if (names.length === 0) return model
  const output = names.map((name) => ({
    name,
    type: { value: { case: 'tensorType' as const, value: { elemType: onnx.TensorProto_DataType.FLOAT } } },
  }))
  const addition = toBinary(onnx.ModelProtoSchema, create(onnx.ModelProtoSchema, { graph: { output } }))
  const merged = new Uint8Array(model.length + addition.length)
  merged.set(model)
  merged.set(addition, model.length)
  return merged
}

/** Path of the external-data file `<name>_data`, if present; else empty. */
export const dataBeside = (file: string): string[] => [`${file}_data`].filter((path) => existsSync(path))
