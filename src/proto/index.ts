/**
 * The protocol buffers of TensorFlow and ONNX, with the runtime they need. Everything imports them from here:
 * the build bundles this one module, because loading @bufbuild/protobuf file by file takes 50 ms.
 */
export { create, fromBinary, toBinary, toJson } from '@bufbuild/protobuf'
export type { MessageInitShape } from '@bufbuild/protobuf'
export * as onnx from './generated/onnx_pb.js'
export * as tensorflow from './generated/tensorflow_pb.js'
