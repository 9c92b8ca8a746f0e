// Training in a browser as README.md of an exported graph describes it, with nothing but onnxruntime-web: three steps.
/* global ort, window, fetch */

async function safetensors(url) {
  const bytes = await (await fetch(url)).arrayBuffer()
  const length = Number(new DataView(bytes).getBigUint64(0, true))
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 8, length)))
  return new Map(
    Object.entries(header).map(([name, { data_offsets: range }]) => {
      const [start, end] = range.map((offset) => 8 + length + offset)
      return [name, new Float32Array(bytes.slice(start, end))]
    }),
  )
}

const squares = (values) => values.reduce((sum, x) => sum + x * x, 0)

function update(state, gradient, { rate, clip }, { beta1, beta2, epsilon, weightDecay }) {
  const { weights, m, v, decays } = state
  gradient.forEach((value, i) => {
    const g = value * clip
    m[i] = beta1 * m[i] + (1 - beta1) * g
    v[i] = beta2 * v[i] + (1 - beta2) * g * g
    weights[i] -= rate * (m[i] / (Math.sqrt(v[i]) + epsilon) + (decays ? weightDecay * weights[i] : 0))
  })
}

window.trainHere = async ({ rows, length, batches }) => {
  ort.env.wasm.numThreads = 1
  const { parameters, optimizer } = await (await fetch('/graph.json')).json()
  const start = await safetensors('/weights.safetensors')
  const session = await ort.InferenceSession.create('/gradients.onnx', { executionProviders: ['wasm'] })
  const states = parameters.map((parameter) => {
    const weights = start.get(parameter.input)
    return { ...parameter, weights, m: new Float32Array(weights.length), v: new Float32Array(weights.length) }
  })
  for (const { ids, targets, classes } of batches) {
    const integers = (values) => new ort.Tensor('int64', BigInt64Array.from(values, BigInt), [rows, length])
    const feeds = {
      input_ids: integers(ids),
      attention_mask: integers(ids.map(() => 1)),
      token_type_ids: integers(ids.map(() => 0)),
      targets: new ort.Tensor('float32', Float32Array.from(targets), [rows, classes]),
      scale: new ort.Tensor('float32', Float32Array.of(1 / rows), []),
    }
    for (const { input, shape, weights } of states) feeds[input] = new ort.Tensor('float32', weights, shape)
    const results = await session.run(feeds)
    const norm = Math.sqrt(
      states.reduce(
        (sum, { gradient, squares: own }) =>
          sum + (own === null ? squares(results[gradient].data) : results[own].data[0]),
        0,
      ),
    )
    const clip = norm > optimizer.clipNorm ? optimizer.clipNorm / norm : 1
    for (const state of states) update(state, results[state.gradient].data, { rate: 1e-3, clip }, optimizer)
  }
  return states.map(({ input, weights }) => [input, [...weights]])
}
