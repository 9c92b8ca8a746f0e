import '@tensorflow/tfjs-backend-webgpu'

/** TensorFlow.js with the backend on the GPU as well, for a worker. */

export * from './tfjs-bundle.js'
