/// <reference lib="dom" />
import type * as Ort from 'onnxruntime-web'
import { base64, describeAdapter, findAdapter } from './page-common.js'
import type { PageApi, PageFeeds } from './protocol.js'

/**
 * Runs in the browser: onnxruntime-web as in a user's own page, loading the model over HTTP. The library
 * is loaded from a script of the installed package, before this one. The build bundles this file into
 * dist/browser/albertkit-page-ort.js.
 */

declare const ort: typeof Ort

let session: Ort.InferenceSession | null = null

const api: PageApi = {
  async load({ backend, model, data }) {
    ort.env.wasm.wasmPaths = `${location.origin}/ort/`
    // More threads need cross-origin isolation headers, which few servers send.
    ort.env.wasm.numThreads = 1
    ort.env.logLevel = 'error'
    const found = backend === 'webgpu' ? await findAdapter() : null
    session = await ort.InferenceSession.create(model, {
      executionProviders: backend === 'webgpu' ? [{ name: 'webgpu' }] : ['wasm'],
      logSeverityLevel: 3,
      ...(data.length === 0 ? {} : { externalData: [...data] }),
    })
    // The adapter of the device that onnxruntime created, if the browser exposes it.
    const device = found === null ? null : ((await ort.env.webgpu.device) as Partial<GPUDevice>)
    const adapter = device?.adapterInfo === undefined ? found : describeAdapter(device.adapterInfo)
    const ids = session.inputMetadata.find(({ name }) => name === 'input_ids')
    const rank = ids?.isTensor === true ? ids.shape.length : 2
    return { version: ort.env.versions.web ?? '', adapter, rank, outputs: session.outputNames }
  },

  async run({ shape, ...ids }: PageFeeds, names) {
    if (session === null) throw new Error('no model is loaded')
    const feeds = Object.fromEntries(
      Object.entries(ids).map(([name, values]) => [
        name,
        new ort.Tensor('int64', BigInt64Array.from(values, BigInt), [...shape]),
      ]),
    )
    const results = await session.run(feeds, [...names])
    return names.map((name) => {
      const tensor = results[name]
      if (tensor === undefined) throw new Error(`there is no output ${name}`)
      return { shape: tensor.dims, base64: base64(tensor.data as Float32Array) }
    })
  },
}

Object.assign(globalThis, { albertkit: api })
