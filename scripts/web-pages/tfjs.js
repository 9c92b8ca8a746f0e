// Runs graph models in TensorFlow.js in the page of bench-web.js.
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import '@tensorflow/tfjs-backend-webgpu'
import { loadGraphModel } from '@tensorflow/tfjs-converter'
import * as tf from '@tensorflow/tfjs-core'

const models = new Map()

globalThis.bench = {
  async start(backend) {
    setWasmPaths('/wasm/')
    if (!(await tf.setBackend(backend))) throw new Error(`${backend} does not start`)
    await tf.ready()
    return `TensorFlow.js ${tf.version_core}`
  },

  async load(name, url) {
    const { signature, userDefinedMetadata } = await (await globalThis.fetch(url)).json()
    const { outputs } = signature ?? userDefinedMetadata.signature
    models.set(name, { model: await loadGraphModel(url), output: outputs.last_hidden_state.name })
  },

  /** Runs a model, and gives the first numbers of the last hidden state. */
  async run(name, shape, ids, runs) {
    const { model, output } = models.get(name)
    const given = { input_ids: ids, attention_mask: ids.map(() => 1), token_type_ids: ids.map(() => 0) }
    const feeds = Object.fromEntries(
      model.inputs.map(({ name: input }) => [input, tf.tensor(given[input.split(':')[0]], shape, 'int32')]),
    )
    let values
    for (let i = 0; i < runs; i++) {
      const state = model.execute(feeds, output)
      values = await state.data()
      tf.dispose(state)
    }
    tf.dispose(feeds)
    return [...values.subarray(0, 4096)]
  },
}
