import '@tensorflow/tfjs-backend-cpu'

/** TensorFlow.js with its backends for a worker, as one module. */

export { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
export { loadGraphModel } from '@tensorflow/tfjs-converter'
export * as tf from '@tensorflow/tfjs-core'
