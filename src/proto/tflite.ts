/**
 * The flat buffers of TensorFlow Lite, with the runtime they need. The build bundles this module, as it does those of
 * protocol buffers.
 */
export { Builder, ByteBuffer } from 'flatbuffers'
export * as tflite from './generated/tflite_fb.js'
export * as tfliteMetadata from './generated/tflite_metadata_fb.js'
