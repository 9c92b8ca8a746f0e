/// <reference lib="dom" />
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-webgpu'
import { loadGraphModel, type GraphModel } from '@tensorflow/tfjs-converter'
import * as tf from '@tensorflow/tfjs-core'
import { base64, findAdapter } from './page-common.js'
import type { PageApi, PageFeeds, PageValue } from './protocol.js'

/**
 * Runs in the browser: TensorFlow.js as in a user's own page, loading the model over HTTP. The build
 * bundles this file into dist/browser/albertkit-page.js.
 */

let model: GraphModel | null = null

const api: PageApi = {
  async load({ backend, model: url }) {
    setWasmPaths('/wasm/')
    const adapter = backend === 'webgpu' ? await findAdapter() : null
    if (!(await tf.setBackend(backend))) throw new Error(`the ${backend} backend of TensorFlow.js does not start`)
    await tf.ready()
    model = await loadGraphModel(url)
    const rank = model.inputs.find(({ name }) => name === 'input_ids')?.shape?.length ?? 2
    return { version: tf.version_core, adapter, rank, outputs: [] }
  },

  async run({ shape, ...ids }: PageFeeds, nodes) {
    if (model === null) throw new Error('no model is loaded')
    const feeds = Object.fromEntries(
      Object.entries(ids).map(([name, values]) => [name, tf.tensor([...values], [...shape], 'int32')]),
    )
    const given = model.execute(feeds, [...nodes])
    const tensors = Array.isArray(given) ? given : [given]
    const values: PageValue[] = []
    for (const tensor of tensors)
      values.push({ shape: tensor.shape, base64: base64(Float32Array.from(await tensor.data())) })
    tf.dispose([tensors, feeds])
    return values
  },
}

Object.assign(globalThis, { albertkit: api })
