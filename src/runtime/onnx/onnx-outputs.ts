import { existsSync } from 'node:fs'
import { create, onnx, toBinary } from '../../proto/onnx.js'

/** Fetching inner values of an ONNX file that are not among its outputs. */

/**
 * The model with more outputs. Protocol buffers merge a message that occurs twice, so that a second `graph` field with
 * nothing but outputs adds them; the bytes of the file are left as they are.
 */
export function withOutputs(model: Uint8Array, names: readonly string[]): Uint8Array {
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

/** The file that an exported ONNX file has its weights in, where it has them in one: `<name>_data` beside it. */
export const dataBeside = (file: string): string[] => [`${file}_data`].filter((path) => existsSync(path))
