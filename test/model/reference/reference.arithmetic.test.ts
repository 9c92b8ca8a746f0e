import { describe, expect, it } from 'vitest'
import {
  DynamicReferenceOps,
  dynamicallyQuantised,
  quantisedByRow,
} from '../../../src/model/reference/reference-dynamic.js'
import { Float32ReferenceOps } from '../../../src/model/reference/reference-float32.js'
import { ReferenceOps, type Tensor } from '../../../src/model/reference/reference.js'
import { counting, parameterIn } from '../../helpers/memory-parameters.js'
import { MemorySource } from '../../helpers/tiny-model.js'

const tensor = (shape: readonly number[], ...data: number[]): Tensor => ({ shape, data: Float64Array.from(data) })
const plain = ({ shape, data }: Tensor): unknown => [shape, [...data]]

describe('products of float32', () => {
  it('are summed in float32, term after term', () => {
    const source = new MemorySource()
    const ops = new Float32ReferenceOps(source, new Map())
    const kernel = parameterIn(source, 'kernel', [4, 2], [0.7, 1, 1, 0.1, 1, 0.1, 3, 0.25])
    const x = tensor([1, 2, 4], 0.1, 1e8, -1e8, 0.3, 1.5, -2.25, 1 / 3, 7)
    // numpy, float32 after each term
    expect(plain(ops.linear(x, kernel, null))).toEqual([
      [1, 2, 2],
      [0.8999999761581421, -0.07401160895824432, 20.133333206176758, 3.058333396911621],
    ])
  })

  it('and all other results are the nearest float32 to those of float64', () => {
    const source = new MemorySource()
    const vector = (name: string, ...values: number[]) => parameterIn(source, name, [values.length], values)
    const [exact, rounding] = [new ReferenceOps(source, new Map()), new Float32ReferenceOps(source, new Map())]
    const norm = { gamma: vector('gamma', 0.3, 1.7), beta: vector('beta', 0.1, -0.9) }
    const values = Array.from({ length: 8 }, (_, i) => Math.sin(i + 1))
    const x = (): Tensor => tensor([1, 2, 2, 2], ...values)
    const grouped = parameterIn(source, 'grouped', [2, 1, 1], [0.3, 0.7])
    const weight = parameterIn(source, 'weight', [3, 2], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    const bias = vector('bias', 0.1, 0.2, 0.3)
    const cases: readonly ((ops: ReferenceOps) => Tensor)[] = [
      (ops) => ops.groupedLinear(x(), grouped, null),
      (ops) => ops.linearTransposed(x(), weight, bias),
      (ops) => ops.add(tensor([2, 2], 0.1, 0.2, 0.3, 0.4), tensor([2], 0.7, 1e-9)),
      (ops) => ops.layerNorm(x(), norm, 1e-6),
      (ops) => ops.activation(x(), 'gelu_erf'),
      (ops) => ops.scores(x(), x(), 2),
      (ops) => ops.softmax(x()),
      (ops) => ops.context(x(), x()),
    ]
    for (const [i, compute] of cases.entries()) {
      const [{ shape, data }, found] = [compute(exact), compute(rounding)]
      expect(plain(found), String(i)).toEqual([shape, [...data.map(Math.fround)]])
      expect([...data], String(i)).not.toEqual([...found.data])
    }
  })
})

describe('dynamic quantisation of a tensor', () => {
  // onnxruntime: DynamicQuantizeLinear, then DequantizeLinear
  it.each([
    [
      [-1, 0.5, 2, 0.3, 0.004, -0.006, 1.25, -0.75],
      [-1, 0.4941176474094391, 2, 0.30588236451148987, 0, -0.0117647061124444, 1.2470588684082031, -0.7529411911964417],
    ],
    [
      [1, 2, 3, 4],
      [1.003921627998352, 1.992156982421875, 2.9960784912109375, 4],
    ],
    [
      [-1, -2, -4, -8],
      [-1.003921627998352, -2.007843255996704, -3.98431396484375, -8],
    ],
    [
      [0, 0],
      [0, 0],
    ],
    [
      [0.5, 255, 1.5, 2.5],
      [0, 255, 2, 2],
    ],
    [
      [-127.5, 127.5, 0.5, 1.5],
      [-128, 127, 0, 2],
    ],
    [
      [-3, 7, 0.1, 0.2],
      [-2.9803922176361084, 6.9803924560546875, 0.11764706671237946, 0.19607843458652496],
    ],
  ])('%j is that of onnxruntime', (x, wanted) => {
    const { shape, data } = dynamicallyQuantised(tensor([x.length], ...x))
    expect(shape).toEqual([x.length])
    expect([...data.map(Math.fround)]).toEqual(wanted.map((y) => expect.closeTo(y, 6) as number))
  })
})

describe('dynamic quantisation by row', () => {
  // Ranges of 255 have a step of one, of which the values are multiples: ties go to the even one.
  it.each([
    ['symmetric', [-127.5, 127.5, 0.5, 1.5, 2.5, -1.5, 99.7], [-128, 127, 0, 2, 2, -2, 100]],
    ['positive', [0, 255, 0.5, 3.5, 128.2], [0, 255, 0, 4, 128]],
    ['without zero', [255, 254.4, 17.5], [255, 254, 18]],
    ['negative', [-255, -0.5, -1.5, -128.6], [-255, 0, -2, -129]],
    ['mostly negative', [-200, 55, 0.25, -77.5], [-200, 55, 0, -78]],
    ['mostly positive', [-55, 200, 0.25, 77.5], [-55, 200, 0, 78]],
    ['of halves', [-63.75, 63.75, 0.25, 0.75], [-64, 63.5, 0, 1]],
    ['of zeros', [0, 0, 0], [0, 0, 0]],
  ])('has a range that includes zero: %s', (_, row, wanted) => {
    const { shape, data } = quantisedByRow(tensor([1, row.length], ...row))
    expect([shape, [...data].map((x) => x + 0)]).toEqual([[1, row.length], wanted])
  })

  it('is that of each row by itself', () => {
    const rows = tensor([2, 1, 3], 0, 255, 0.6, 0, 2.55, 0.006)
    const { shape, data } = quantisedByRow(rows)
    expect([shape, [...data]]).toEqual([
      [2, 1, 3],
      [0, 255, 1, ...[0, 2.55, 0.01].map((x) => expect.closeTo(x, 6) as number)],
    ])
    expect([...rows.data]).toEqual([0, 255, 0.6, 0, 2.55, 0.006])
  })

  it('of values that are the nearest float32', () => {
    // 0.1 + 0.2 is no float32; a row of one value has steps of a 255th of it.
    expect([...quantisedByRow(tensor([1], 0.1 + 0.2)).data]).toEqual([expect.closeTo(0.3, 7)])
    expect([...quantisedByRow(tensor([], 7)).data]).toEqual([expect.closeTo(7, 5)])
  })
})

describe('a reference that quantises activations', () => {
  const source = new MemorySource()
  const kernel = parameterIn(source, 'kernel', [2, 2], [1, 0, 0, 1])
  const other = parameterIn(source, 'other', [2, 2], [1, 0, 0, 1])
  const weight = parameterIn(source, 'weight', [2, 2], [1, 0, 0, 1])
  const bias = parameterIn(source, 'bias', [2], counting(2))
  const x = tensor([2, 2], 0.6, 255, 0.006, 2.55)
  const of = (by: 'tensor' | 'row'): DynamicReferenceOps =>
    new DynamicReferenceOps(source, new Map(), {
      axes: new Map([
        ['kernel', 1],
        ['weight', 0],
      ]),
      by,
    })
  const near = (...values: number[]): unknown => [[2, 2], values.map((y) => expect.closeTo(y, 6) as number)]

  it('does it where a product runs along the axis of the scales, and nowhere else', () => {
    const [whole, rows] = [of('tensor'), of('row')]
    expect(plain(whole.linear(x, kernel, null))).toEqual(near(1, 255, 0, 3))
    expect(plain(rows.linear(x, kernel, bias))).toEqual(near(2, 257, 1.01, 4.55))
    expect(plain(whole.linearTransposed(x, weight, bias))).toEqual(near(2, 257, 1, 5))
    for (const ops of [whole, rows]) {
      expect(plain(ops.linear(x, other, null))).toEqual(near(...x.data))
      expect(plain(ops.linear(x, weight, null))).toEqual(near(...x.data))
      expect(plain(ops.linearTransposed(x, kernel, null))).toEqual(near(...x.data))
    }
  })
})
