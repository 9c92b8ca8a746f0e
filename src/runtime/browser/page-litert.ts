/// <reference lib="dom" />
import type { CompiledModel } from '@litertjs/core'
import { base64, findAdapter } from './page-common.js'
import type { PageApi, PageFeeds } from './protocol.js'

/**
 * Runs in the browser: LiteRT as in a user's own page, loading the model over HTTP. The library is a module of the
 * installed package. The build bundles this file into dist/browser/albertkit-page-litert.js.
 */

type LiteRt = typeof import('@litertjs/core')

let litert: LiteRt | null = null
let model: CompiledModel | null = null

const api: PageApi = {
  async load({ backend, model: url }) {
    // Not a literal, so that it is no part of the bundle.
    const library = '/litert/index.js'
    litert = (await import(library)) as LiteRt
    const adapter = backend === 'webgpu' ? await findAdapter() : null
    // A graph of which the GPU takes a part needs promises in WebAssembly.
    const jspi = backend === 'webgpu' && (await litert.supportsFeature('jspi'))
    await litert.loadLiteRt('/litert/wasm/', { jspi })
    // Phones' default is float16, which is another arithmetic.
    model = await litert.loadAndCompile(url, { accelerator: backend, gpuOptions: { precision: 'fp32' } })
    if (model.options.accelerator !== backend) throw new Error('the GPU does not take the whole graph')
    const [ids] = model.getInputDetails()
    return { version: '', adapter, rank: ids?.shape.length ?? 2, outputs: [] }
  },

  async run({ shape, ...ids }: PageFeeds, names) {
    if (litert === null || model === null) throw new Error('no model is loaded')
    const { Tensor } = litert
    const feeds = Object.fromEntries(
      Object.entries(ids).map(([name, values]) => [name, new Tensor(Int32Array.from(values), [...shape])]),
    )
    const results = await model.run(feeds)
    const values = []
    for (const name of names) {
      const tensor = results[name]
      if (tensor === undefined) throw new Error(`there is no output ${name}`)
      const dims = Array.from(tensor.type.layout.dimensions)
      values.push({ shape: dims, base64: base64(Float32Array.from(await tensor.data())) })
    }
    for (const tensor of [...Object.values(feeds), ...Object.values(results)]) tensor.delete()
    return values
  },
}

Object.assign(globalThis, { albertkit: api })
