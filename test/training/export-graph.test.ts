import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exportTrainingGraph } from '../../src/api/finetune/export-graph.js'
import { openSource } from '../../src/api/open/source.js'
import { readAll } from '../../src/formats/core/source.js'
import { openGraph, type GraphTensor } from '../../src/runtime/onnx/graph-session.js'
import { DEFAULT_SETTINGS, clipFactor, sumOfSquares, updateVariable } from '../../src/training/optimizer.js'
import { openPage } from '../../src/runtime/browser/launch.js'
import { servePage } from '../../src/runtime/browser/server.js'
import { CHROMIUM } from '../helpers/gpu.js'
import { writeRandomModel } from '../helpers/random-model.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-graph-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

interface Description {
  readonly parameters: readonly {
    readonly input: string
    readonly shape: readonly number[]
    readonly gradient: string
    readonly decays: boolean
    readonly adapts: boolean
    readonly squares: string | null
  }[]
}

const CLASSES = 3

/** Batches of three steps. */
const BATCHES = {
  rows: 4,
  length: 9,
  batches: [0, 1, 2].map((step) => ({
    classes: CLASSES,
    ids: Array.from({ length: 4 * 9 }, (_, i) => (i * 7 + step * 31) % 37),
    targets: Array.from({ length: 4 * CLASSES }, (_, i) =>
      ((i % CLASSES) + step) % CLASSES === Math.floor(i / CLASSES) % CLASSES ? 1 : 0,
    ),
  })),
}

/** Trains in a page of a browser. */
async function trainInBrowser(directory: string): Promise<Map<string, Float32Array>> {
  const dist = dirname(createRequire(import.meta.url).resolve('onnxruntime-web'))
  const files = ['ort.wasm.min.js', 'ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm']
  const served = new Map([
    ...files.map((name) => [`/${name}`, join(dist, name)] as const),
    ...['graph.json', 'weights.safetensors', 'gradients.onnx'].map(
      (name) => [`/${name}`, join(directory, name)] as const,
    ),
    ['/browser-step.js', fileURLToPath(new URL('./browser-step.js', import.meta.url))],
  ])
  const server = await servePage(served, ['/ort.wasm.min.js', '/browser-step.js'])
  const opened = await openPage(CHROMIUM!, server.origin, [])
  try {
    const weights = await opened.page.evaluate(`trainHere(${JSON.stringify(BATCHES)})`)
    return new Map((weights as [string, number[]][]).map(([name, values]) => [name, Float32Array.from(values)]))
  } finally {
    await opened.close()
    server.close()
  }
}

/** Takes three steps as README.md of an exported graph describes them, and gives all weights. */
async function train(
  directory: string,
  only: 'onnxruntime-node' | 'onnxruntime-web',
): Promise<Map<string, Float32Array>> {
  const { parameters } = JSON.parse(readFileSync(join(directory, 'graph.json'), 'utf8')) as Description
  using source = await openSource(join(directory, 'weights.safetensors'))
  const session = await openGraph(readFileSync(join(directory, 'gradients.onnx')), 'gradients', { only })
  expect(session.detail).toContain(only)
  const weights = new Map(
    parameters.map(({ input }) => [input, new Float32Array(readAll(source, input).buffer as ArrayBuffer)]),
  )
  const states = parameters.map((parameter) => {
    const values = weights.get(parameter.input)!
    const zeros = () => new Float32Array(values.length)
    return { parameter, variable: { ...parameter, values, m: zeros(), v: zeros(), rateFactor: 1 } }
  })
  const { rows, length } = BATCHES
  for (const { ids: own, targets: wanted, classes } of BATCHES.batches) {
    const [ids, targets] = [Int32Array.from(own), Float32Array.from(wanted)]
    const feeds: Record<string, GraphTensor> = {
      input_ids: session.ids(ids, [rows, length]),
      attention_mask: session.ids(new Int32Array(ids.length).fill(1), [rows, length]),
      token_type_ids: session.ids(new Int32Array(ids.length), [rows, length]),
      targets: session.floats(targets, [rows, classes]),
      scale: session.floats(Float32Array.of(1 / rows), []),
    }
    for (const { input, shape } of parameters) feeds[input] = session.floats(weights.get(input)!, shape)
    const names = parameters.flatMap(({ gradient, squares }) => (squares === null ? [gradient] : [gradient, squares]))
    const results = await session.run(feeds, Object.fromEntries(names.map((name) => [name, null])))
    const norm = Math.sqrt(
      parameters.reduce(
        (sum, { gradient, squares }) =>
          sum + (squares === null ? sumOfSquares(results[gradient]!.data) : results[squares]!.data[0]!),
        0,
      ),
    )
    const clip = clipFactor(norm, DEFAULT_SETTINGS.clipNorm)
    for (const { parameter, variable } of states)
      updateVariable(variable, results[parameter.gradient]!.data, DEFAULT_SETTINGS, { rate: 1e-3, clip })
  }
  await session.close()
  return weights
}

/** Largest difference of the weights; the key bias has gradient 0 but for rounding, which AdamW turns into steps. */
function largestDifference(a: ReadonlyMap<string, Float32Array>, b: ReadonlyMap<string, Float32Array>): number {
  let most = 0
  for (const [name, values] of a) {
    if (name.endsWith('key/bias')) continue
    const other = b.get(name)!
    values.forEach((value, i) => (most = Math.max(most, Math.abs(value - other[i]!))))
  }
  return most
}

describe('an exported graph', () => {
  const directory = join(folder, 'graph')
  let native: Map<string, Float32Array>
  beforeAll(async () => {
    await writeRandomModel(
      join(folder, 'model'),
      'zh',
      {
        ...{ layers: 3, groups: 1, inner: 1, hidden: 16, embedding: 6, intermediate: 24, sharing: 'all' },
        ...{ preNorm: false, act: 'gelu_tanh', heads: ['classifier'], pooler: true },
      },
      0.3,
    )
    await exportTrainingGraph(join(folder, 'model'), directory, { labels: ['a', 'b', 'c'] })
    native = await train(directory, 'onnxruntime-node')
  })

  it('changes the weights', async () => {
    using source = await openSource(join(directory, 'weights.safetensors'))
    const before = [...native.keys()].map(
      (name) => [name, new Float32Array(readAll(source, name).buffer as ArrayBuffer)] as const,
    )
    expect(largestDifference(native, new Map(before))).toBeGreaterThan(1e-3)
  })

  it('trains in WebAssembly to the same weights', async () => {
    expect(largestDifference(native, await train(directory, 'onnxruntime-web'))).toBeLessThan(2e-6)
  })

  it.skipIf(CHROMIUM === null)('trains in a browser to the same weights', async () => {
    expect(largestDifference(native, await trainInBrowser(directory))).toBeLessThan(2e-6)
  })
})
