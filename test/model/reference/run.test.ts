import { describe, expect, it } from 'vitest'
import {
  headsOn,
  inputShape,
  runAll,
  runReference,
  type ModelInputs,
  type Runs,
} from '../../../src/model/reference/run.js'
import { THIS_THREAD, type Processors } from '../../../src/model/reference/processors.js'
import { TogetherOps } from '../../../src/model/reference/together.js'
import { ReferenceOps, type Tensor } from '../../../src/model/reference/reference.js'
import { parametersOf } from '../../../src/model/tensors/read.js'
import { parameterIn } from '../../helpers/memory-parameters.js'
import { MemorySource, tinyModel } from '../../helpers/tiny-model.js'

const NONE = { mlm: false, sop: false, classifier: false, qa: false }
const subject = tinyModel({ hidden: 8, layers: 1, vocabulary: 11, heads: ['mlm'] })

const inputs = (batch: number, sequence = 1, more: object = {}): ModelInputs => ({
  batch,
  sequence,
  input_ids: new Int32Array(batch * sequence).map((_, i) => i % 11),
  attention_mask: new Int32Array(batch * sequence).fill(1),
  token_type_ids: new Int32Array(batch * sequence),
  ...more,
})

/** Rows of the first product of each group that is computed together: that of the mapping. No product is computed. */
function groupsOf(list: readonly ModelInputs[], more: Partial<Runs> = {}): number[] {
  const rows: number[] = []
  const processors: Processors = {
    ...THIS_THREAD,
    multiply(product) {
      // E of the model is ten: only the mapping has such an inner axis.
      if (product.size.inner === 10 && product.size.outer === 8) rows.push(product.size.rows)
    },
  }
  runAll(subject, { inputs: list, heads: NONE, ...more }, { processors })
  return rows
}

describe('runs of the reference', () => {
  it('compute inputs together, up to 1,024 tokens', () => {
    expect(groupsOf([inputs(2, 3), inputs(1, 4), inputs(5)])).toEqual([15])
    expect(groupsOf([inputs(100, 10), inputs(24), inputs(1)])).toEqual([1024, 1])
    expect(groupsOf([inputs(100, 10), inputs(25), inputs(999), inputs(1)])).toEqual([1000, 1024, 1])
    expect(groupsOf([inputs(110, 10), inputs(1), inputs(1)])).toEqual([1100, 2])
    expect(groupsOf([])).toEqual([])
  })

  it('compute inputs apart that other heads run on', () => {
    const without = { withoutMlm: true }
    expect(groupsOf([inputs(1), inputs(2, 1, without), inputs(3, 1, without), inputs(4)])).toEqual([1, 5, 4])
    expect(groupsOf([inputs(1), inputs(2, 1, { withoutMlm: false })])).toEqual([3])
  })

  it('compute inputs apart if a scale is that of a whole tensor', () => {
    const axes = new Map([['other', 1 as const]])
    const two = [inputs(1), inputs(2)]
    expect(groupsOf(two, { dynamic: { axes, by: 'tensor' } })).toEqual([1, 2])
    expect(groupsOf(two, { dynamic: { axes, by: 'row' } })).toEqual([3])
    expect(groupsOf(two, { dynamic: { axes: new Map(), by: 'tensor' } })).toEqual([3])
  })

  it('give the values of each input by itself', () => {
    const { model, source } = subject
    const list = [inputs(2, 3), inputs(1, 4, { withoutMlm: true }), inputs(5)]
    const heads = { ...NONE, mlm: true }
    const found = runAll(subject, { inputs: list, heads })
    expect(found).toEqual(list.map((x) => runReference(model, source, x, heads)))
    expect(found.map((values) => values.has('prediction_logits'))).toEqual([true, false, true])
    expect(found.map((values) => values.get('last_hidden_state')!.shape)).toEqual([
      [2, 3, 8],
      [1, 4, 8],
      [5, 1, 8],
    ])
    expect(found.map((values) => values.get('embedding_hidden_mapping_in')!.shape[1])).toEqual([3, 4, 1])
  })

  it('read each weight once, unless the model is too large to be kept', () => {
    const { model, source } = subject
    const list = [inputs(1100), inputs(1100), inputs(1)]
    const count = (of: typeof model): number => {
      source.reads = 0
      runAll(
        { model: of, source },
        { inputs: list, heads: NONE },
        { processors: { ...THIS_THREAD, multiply: () => undefined } },
      )
      return source.reads
    }
    // Three tables are read anew for each group, by rows.
    const [tables, groups] = [3, 3]
    const used = [...parametersOf({ ...model, mlm: null })].length - tables
    expect(count(model)).toBe(used + groups * tables)
    // Heads count as weights of the model, even if they do not run: 2²⁶ numbers of four bytes are 256 MiB.
    const width = 2 ** 26 - [...parametersOf(model)].reduce((n, { shape }) => n + shape.reduce((a, b) => a * b, 1), 0)
    const qa = (size: number): typeof model => {
      const weight = { ...parameterIn(new MemorySource(), 'w', [], [0]), shape: [size - 2, 1] }
      return { ...model, qa: { weight, bias: { ...weight, shape: [2] } } }
    }
    expect(count(qa(width))).toBe(used + groups * tables)
    expect(count(qa(width + 1))).toBe(groups * (used + tables))
  })

  it('compute in float32, or with quantised activations, if asked to', () => {
    const { model, source } = subject
    const x = inputs(1, 4)
    const [exact, float32, dynamic] = [
      {},
      { arithmetic: 'float32' as const },
      { dynamic: { axes: new Map([['encoder/embedding_hidden_mapping_in/kernel', 1 as const]]), by: 'row' as const } },
    ].map((more) => runAll(subject, { inputs: [x], heads: NONE, ...more })[0]!.get('last_hidden_state')!.data)
    const differs = (a: Float64Array, b: Float64Array): number =>
      a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0)
    expect([...float32!]).toEqual([...float32!.map(Math.fround)])
    expect(differs(exact!, float32!)).toBeGreaterThan(1e-9)
    expect(differs(exact!, float32!)).toBeLessThan(1e-5)
    expect(differs(exact!, dynamic!)).toBeGreaterThan(1e-5)
    expect(differs(exact!, dynamic!)).toBeLessThan(0.1)
    const axes = new Map([['encoder/embedding_hidden_mapping_in/kernel', 1 as const]])
    const again = runReference(model, source, x, NONE, { axes, by: 'row' }).get('last_hidden_state')!.data
    expect([...again]).toEqual([...dynamic!])
  })

  it('tell of each layer of each group', () => {
    let layers = 0
    const onLayer = (): void => {
      layers++
    }
    const deep = tinyModel({ hidden: 8, layers: 3, vocabulary: 11 })
    const processors = { ...THIS_THREAD, multiply: () => undefined }
    runAll(deep, { inputs: [inputs(1100), inputs(1)], heads: NONE }, { onLayer, processors })
    expect(layers).toBe(3 * 2)
  })
})

describe('inputs', () => {
  it('have the shape that their model takes', () => {
    expect(inputShape(inputs(6, 4), false)).toEqual([6, 4])
    expect(inputShape(inputs(6, 4, { choices: 3 }), true)).toEqual([2, 3, 4])
    expect(inputShape(inputs(6, 4), true)).toEqual([6, 1, 4])
    expect(inputShape(inputs(6, 4, { choices: 3 }), false)).toEqual([6, 4])
  })

  it('may leave out the masked-token head', () => {
    const heads = { mlm: true, sop: true, classifier: false, qa: true }
    expect(headsOn(heads, {})).toBe(heads)
    expect(headsOn(heads, { withoutMlm: false })).toBe(heads)
    expect(headsOn(heads, { withoutMlm: true })).toEqual({ ...heads, mlm: false })
  })
})

describe('rows of several inputs', () => {
  const tensor = (data: Float64Array, ...shape: number[]): Tensor => ({ shape, data })
  const source = new MemorySource()
  const kernel = parameterIn(source, 'kernel', [2, 1], [1, 10])

  /** Rows that the reference was given, and whether they are in the memory of the inputs. */
  function joined(parts: readonly Tensor[]) {
    const given: Tensor[] = []
    class Watching extends ReferenceOps {
      override linear(x: Tensor, ...rest: readonly [typeof kernel, null]): Tensor {
        given.push(x)
        return super.linear(x, ...rest)
      }
    }
    const made = new TogetherOps(new Watching(source, new Map())).linear(parts, kernel, null)
    const [{ shape, data }] = given as [Tensor]
    return {
      shape,
      values: [...data],
      inPlace: data.buffer === parts[0]!.data.buffer,
      made: made.map((x) => [x.shape, [...x.data]]),
    }
  }

  it('are taken where they are if they lie one after another', () => {
    const all = Float64Array.of(0, 1, 2, 3, 4, 5, 6, 7)
    const made = [
      [[1, 1, 1], [21]],
      [
        [1, 2, 1],
        [43, 65],
      ],
    ]
    const one = tensor(all.subarray(1, 3), 1, 1, 2)
    const parts = [one, tensor(all.subarray(3, 7), 1, 2, 2)]
    const wanted = { shape: [3, 2], values: [1, 2, 3, 4, 5, 6], made }
    expect(joined(parts)).toEqual({ ...wanted, inPlace: true })
    // The same numbers elsewhere are copied.
    expect(joined([one, tensor(all.slice(3, 7), 1, 2, 2)])).toEqual({ ...wanted, inPlace: false })
    const apart = Float64Array.of(1, 2, 0, 3, 4, 5, 6)
    const gap = [tensor(apart.subarray(0, 2), 1, 1, 2), tensor(apart.subarray(3), 1, 2, 2)]
    expect(joined(gap)).toEqual({ ...wanted, inPlace: false })
  })

  it('of a single input keep their axes', () => {
    expect(joined([tensor(Float64Array.of(1, 2, 3, 4), 1, 2, 2)])).toMatchObject({
      shape: [1, 2, 2],
      inPlace: true,
      made: [
        [
          [1, 2, 1],
          [21, 43],
        ],
      ],
    })
  })
})
