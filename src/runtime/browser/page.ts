/// <reference lib="dom" />
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-webgpu'
import { loadGraphModel, type GraphModel } from '@tensorflow/tfjs-converter'
import * as tf from '@tensorflow/tfjs-core'
import type { PageApi, PageFeeds, PageState, PageValue } from './protocol.js'

/**
 * Runs in the browser: TensorFlow.js as a page of the user's would use it, loading the model over HTTP. The build
 * bundles this file into dist/browser/albertkit-page.js.
 */

let model: GraphModel | null = null

const base64 = (data: Float32Array): string => {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  let text = ''
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192))
  return btoa(text)
}

async function adapter(): Promise<PageState['adapter']> {
  // Where the browser has no WebGPU at all, or keeps it from this page, there is no such property.
  const gpu = (navigator as { gpu?: GPU }).gpu
  const found = await gpu?.requestAdapter({ powerPreference: 'high-performance' })
  if (found === null || found === undefined) throw new Error('no WebGPU adapter')
  const { vendor, architecture, device, description, isFallbackAdapter } = found.info
  return { vendor, architecture, device, description, isFallbackAdapter }
}

const api: PageApi = {
  async load(backend) {
    setWasmPaths('/wasm/')
    const found = backend === 'webgpu' ? await adapter() : null
    if (!(await tf.setBackend(backend))) throw new Error(`the ${backend} backend of TensorFlow.js does not start`)
    await tf.ready()
    model = await loadGraphModel('/model/model.json')
    const rank = model.inputs.find(({ name }) => name === 'input_ids')?.shape?.length ?? 2
    return { version: tf.version_core, adapter: found, rank }
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
