/**
 * The protocol buffers of TensorFlow, with the runtime they need. The build bundles this module: loading
 * @bufbuild/protobuf file by file takes 50 ms.
 */
export { create, fromBinary, toBinary, toJson } from '@bufbuild/protobuf'
export type { MessageInitShape } from '@bufbuild/protobuf'
export * as tensorflow from './generated/tensorflow_pb.js'
