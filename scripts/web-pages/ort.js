// Runs ONNX files in onnxruntime-web in the page of bench-web.js; its script is loaded before this one.
const { ort: library } = globalThis
const sessions = new Map()
let provider

globalThis.bench = {
  start(backend) {
    library.env.wasm.wasmPaths = `${globalThis.location.origin}/ort/`
    library.env.wasm.numThreads = 1
    library.env.logLevel = 'error'
    provider = backend
    return `onnxruntime-web ${library.env.versions.web}`
  },

  async load(name, url) {
    sessions.set(
      name,
      await library.InferenceSession.create(url, { executionProviders: [provider], logSeverityLevel: 3 }),
    )
  },

  /** Runs a model, and gives the first numbers of the last hidden state. */
  async run(name, shape, ids, runs) {
    const session = sessions.get(name)
    const given = { input_ids: ids, attention_mask: ids.map(() => 1), token_type_ids: ids.map(() => 0) }
    const feeds = Object.fromEntries(
      session.inputNames.map((input) => [
        input,
        new library.Tensor('int64', BigInt64Array.from(given[input], BigInt), shape),
      ]),
    )
    let values
    for (let i = 0; i < runs; i++) values = (await session.run(feeds, ['last_hidden_state'])).last_hidden_state.data
    return [...values.subarray(0, 4096)]
  },
}
