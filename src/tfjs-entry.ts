/**
 * `albertkit/tfjs`: the forward pass over eager TensorFlow.js. It has an entry of its own, because the declarations of
 * @tensorflow/tfjs-core, which it names, are sound with `skipLibCheck` alone.
 */
export { openEngine, type TfjsBackend, type TfjsCore, type TfjsEngine } from './runtime/tfjs/tfjs-backend.js'
export { TfjsOps } from './runtime/tfjs/tfjs-ops.js'
