import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { exportTrainingGraph } from '../../src/api/finetune/export-graph.js'
import { openSource } from '../../src/api/open/source.js'
import { readAll } from '../../src/formats/core/source.js'
import { openGraph, type GraphTensor } from '../../src/runtime/onnx/graph-session.js'
import { DEFAULT_SETTINGS, clipFactor, sumOfSquares, updateVariable } from '../../src/training/optimizer.js'
import { ZH_NEWS } from '../helpers/shared.js'

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
  const [rows, length, classes] = [4, 9, 10]
  for (let step = 0; step < 3; step++) {
    const ids = Int32Array.from({ length: rows * length }, (_, i) => 100 + ((i * 7 + step * 31) % 50))
    const targets = new Float32Array(rows * classes)
    for (let row = 0; row < rows; row++) targets[row * classes + ((row + step) % classes)] = 1
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

it('an exported graph trains in WebAssembly as it does natively', async () => {
  const directory = join(folder, 'graph')
  await exportTrainingGraph(ZH_NEWS, directory)
  const native = await train(directory, 'onnxruntime-node')
  const web = await train(directory, 'onnxruntime-web')
  using source = await openSource(join(directory, 'weights.safetensors'))
  let moved = 0
  for (const [name, values] of native) {
    const before = new Float32Array(readAll(source, name).buffer as ArrayBuffer)
    // The key bias has gradient 0 but for rounding, which AdamW turns into steps.
    if (name.endsWith('key/bias')) continue
    values.forEach((value, i) => {
      moved = Math.max(moved, Math.abs(value - before[i]!))
      expect(Math.abs(value - web.get(name)![i]!)).toBeLessThan(1e-4)
    })
  }
  expect(moved).toBeGreaterThan(1e-3)
})
