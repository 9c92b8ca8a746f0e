/**
 * The protocol buffers of ONNX, with the runtime they need. The build bundles this module: loading @bufbuild/protobuf
 * file by file takes 50 ms.
 */
export { create, fromBinary, toBinary, toJson } from '@bufbuild/protobuf'
export type { MessageInitShape } from '@bufbuild/protobuf'
export * as onnx from './generated/onnx_pb.js'
