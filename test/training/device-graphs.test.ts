import { describe, expect, it } from 'vitest'
import type { Parameter } from '../../src/model/albert.js'
import { openGraph, type GraphTensor } from '../../src/runtime/onnx/graph-session.js'
import {
  buildSquares,
  buildSum,
  buildUpdate,
  buildCopy,
  CLIP,
  inputName,
  outputName,
  RATE,
  SQUARES,
  type DeviceVariable,
} from '../../src/training/device-graphs.js'
import { DEFAULT_SETTINGS, sumOfSquares, updateVariable, type OptimizerSettings } from '../../src/training/optimizer.js'
import { random } from '../helpers/tiny-model.js'

const parameter = (slot: string, storedShape: readonly number[]): Parameter =>
  ({ slot, storedShape, shape: storedShape, layout: 'as_is', variable: slot }) as Parameter
const VARIABLES: readonly DeviceVariable[] = [
  { parameter: parameter('a/kernel', [3, 5]), decays: true, adapts: true, rateFactor: 1 },
  { parameter: parameter('a/bias', [5]), decays: false, adapts: false, rateFactor: 0.5 },
  // |w| of zero: the trust ratio is 1.
  { parameter: parameter('zero/kernel', [2, 2]), decays: true, adapts: true, rateFactor: 1 },
]
const next = random(5)
const floats = (size: number): Float32Array => Float32Array.from({ length: size }, () => next() - 0.5)
const sizeOf = ({ storedShape }: Parameter): number => storedShape.reduce((a, b) => a * b, 1)

/** Runs a graph on the CPU. */
async function run(bytes: Uint8Array, arrays: Readonly<Record<string, Float32Array>>, outputs: readonly string[]) {
  const session = await openGraph(bytes, 'graph')
  const shape = (name: string): readonly number[] =>
    VARIABLES.find(({ parameter: { slot } }) => name.endsWith(slot))?.parameter.storedShape ?? []
  const feeds = Object.entries(arrays).map(([name, data]): [string, GraphTensor] => [
    name,
    session.floats(data, shape(name)),
  ])
  const results = await session.run(Object.fromEntries(feeds), Object.fromEntries(outputs.map((name) => [name, null])))
  await session.close()
  return results
}

describe('graphs beside the gradients', () => {
  it.each<[string, Partial<OptimizerSettings>, number]>([
    ['adamw', {}, 1],
    ['adamw without decay', { weightDecay: 0 }, 1],
    ['adamw, clipped', {}, 0.25],
    ['lamb', { optimizer: 'lamb' }, 0.25],
  ])('update as the loop on the CPU does: %s', async (_, own, clip) => {
    const settings = { ...DEFAULT_SETTINGS, ...own }
    const rate = 0.01
    const states = VARIABLES.map((variable) => {
      const size = sizeOf(variable.parameter)
      const values = variable.parameter.slot.startsWith('zero') ? new Float32Array(size) : floats(size)
      return { ...variable, values, m: floats(size), v: floats(size).map(Math.abs), gradient: floats(size) }
    })
    const feeds = Object.fromEntries(
      states.flatMap(({ parameter: p, values, m, v, gradient }) => [
        [inputName('weights', p), values.slice()],
        [inputName('m', p), m.slice()],
        [inputName('v', p), v.slice()],
        [inputName('gradients', p), gradient],
      ]),
    ) as Record<string, Float32Array>
    const scalars = { [RATE]: Float32Array.of(rate), [CLIP]: Float32Array.of(clip) }
    const kinds = ['weights', 'm', 'v'] as const
    const outputs = VARIABLES.flatMap(({ parameter: p }) => kinds.map((kind) => outputName(kind, p)))
    const results = await run(buildUpdate(VARIABLES, settings), { ...feeds, ...scalars }, outputs)
    for (const state of states) {
      const before = state.values.slice()
      updateVariable(state, state.gradient, settings, { rate, clip })
      expect(state.values).not.toEqual(before)
      for (const [kind, wanted] of [['weights', state.values], ['m', state.m], ['v', state.v]] as const) {
        const found = results[outputName(kind, state.parameter)]!.data
        wanted.forEach((x, i) => {
          expect(Math.abs(found[i]! - x), `${kind} of ${state.parameter.slot}`).toBeLessThan(2e-7)
        })
      }
    }
  }) // prettier-ignore

  it('add gradients, sum squares, and copy', async () => {
    const parameters = VARIABLES.map((variable) => variable.parameter)
    const [a, b] = [0, 1].map(() => parameters.map((p) => floats(sizeOf(p)))) as [Float32Array[], Float32Array[]]
    const named = (kind: 'sum' | 'gradients' | 'weights', arrays: readonly Float32Array[]) =>
      Object.fromEntries(parameters.map((p, i) => [inputName(kind, p), arrays[i]!]))
    const sums = await run(
      buildSum(VARIABLES),
      { ...named('sum', a), ...named('gradients', b) },
      parameters.map((p) => outputName('sum', p)),
    )
    const copies = await run(
      buildCopy(parameters),
      named('weights', a),
      parameters.map((p) => outputName('copy', p)),
    )
    const squares = (await run(buildSquares(VARIABLES), named('gradients', a), [SQUARES]))[SQUARES]!.data
    parameters.forEach((p, i) => {
      expect(sums[outputName('sum', p)]!.data).toEqual(a[i]!.map((x, k) => x + b[i]![k]!))
      expect(copies[outputName('copy', p)]!.data).toEqual(a[i])
      expect(squares[i]).toBeCloseTo(sumOfSquares(a[i]!), 6)
    })
  })
})
