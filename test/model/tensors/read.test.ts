import { describe, expect, it } from 'vitest'
import type { Parameter } from '../../../src/model/albert.js'
import {
  parametersOf,
  readFloats,
  readLogical,
  readStored,
  Scratch,
  storedMatrix,
  useCounts,
} from '../../../src/model/tensors/read.js'
import { rebind, retyped, type FileForm } from '../../../src/model/tensors/rebind.js'
import { blockRoles, outerParameters } from '../../../src/model/tensors/roles.js'
import { transposeInto } from '../../../src/model/tensors/transpose.js'
import { computedView, logicalView, storedView, unravel } from '../../../src/model/tensors/view.js'
import { counting, parameterIn } from '../../helpers/memory-parameters.js'
import { MemorySource, tinyModel } from '../../helpers/tiny-model.js'

describe('reading', () => {
  it.each(['F32', 'F64', 'F16', 'BF16'] as const)('ranges of %s gives float32', (dtype) => {
    const source = new MemorySource()
    const p = parameterIn(source, 'x', [6], counting(6), { dtype })
    const target = new Float32Array(4).fill(9)
    readStored(source, p, 2, target.subarray(1, 3))
    expect([...target]).toEqual([9, 3, 4, 9])
    const scratch = new Scratch()
    readFloats(source, 'of/x', 3, target.subarray(0, 3), scratch)
    readFloats(source, 'of/x', 0, target.subarray(3), scratch)
    expect([...target]).toEqual([4, 5, 6, 1])
  })

  it('of no such tensor is an error', () => {
    expect(() => {
      readFloats(new MemorySource(), 'x', 0, new Float32Array(1))
    }).toThrow(new RangeError('x'))
  })

  it('keeps its buffer from read to read', () => {
    const scratch = new Scratch()
    const first = scratch.take(8)
    expect(first.length).toBe(8)
    const second = scratch.take(4)
    expect([second.length, second.buffer]).toEqual([4, first.buffer])
    expect(scratch.take(8).buffer).toBe(first.buffer)
    expect(scratch.take(9).buffer).not.toBe(first.buffer)
  })

  it('gives a parameter in the logical order', () => {
    const source = new MemorySource()
    const asIs = parameterIn(source, 'a', [2, 3], counting(6))
    const turned = parameterIn(source, 'b', [2, 3], counting(6), { layout: 'transposed' })
    const grouped = parameterIn(source, 'c', [2, 3, 1], counting(6), { layout: 'grouped' })
    expect([...readLogical(source, asIs)]).toEqual([1, 2, 3, 4, 5, 6])
    for (const p of [turned, grouped]) expect([...readLogical(source, p)]).toEqual([1, 3, 5, 2, 4, 6])
    expect([asIs, turned, grouped].map(storedMatrix)).toEqual([
      [2, 3],
      [3, 2],
      [3, 2],
    ])
    expect(storedMatrix({ ...asIs, storedShape: [] })).toEqual([1, 1])
    const buffer = new Float32Array(6)
    expect(readLogical(source, turned, () => buffer)).toBe(buffer)
    expect([...buffer]).toEqual([1, 3, 5, 2, 4, 6])
    // Nothing is read of a tensor without elements.
    const reads = source.reads
    expect(readLogical(source, { ...asIs, variable: 'none', shape: [0, 3] })).toEqual(new Float32Array(0))
    expect(source.reads).toBe(reads)
  })
})

describe('parameters', () => {
  it('are found once each, in the order of the forward pass', () => {
    const { model } = tinyModel({ layers: 2, heads: ['pooler', 'mlm', 'sop', 'classifier', 'qa'] })
    const block = [
      ...['query', 'key', 'value', 'output'].flatMap((name) => [`attention/${name}/kernel`, `attention/${name}/bias`]),
      ...['attention/LayerNorm/gamma', 'attention/LayerNorm/beta'],
      ...['intermediate', 'output'].flatMap((name) => [`ffn/${name}/kernel`, `ffn/${name}/bias`]),
      ...['ffn/LayerNorm/gamma', 'ffn/LayerNorm/beta'],
    ]
    const before = [
      ...['word_embeddings', 'position_embeddings', 'token_type_embeddings', 'LayerNorm/gamma', 'LayerNorm/beta'].map(
        (name) => `embeddings/${name}`,
      ),
      ...['kernel', 'bias'].map((name) => `encoder/embedding_hidden_mapping_in/${name}`),
    ]
    const after = [
      ...['pooler/dense/kernel', 'pooler/dense/bias'],
      ...['dense/kernel', 'dense/bias', 'LayerNorm/gamma', 'LayerNorm/beta'].map((name) => `mlm/transform/${name}`),
      ...['mlm/output_bias', 'sop/output_weights', 'sop/output_bias'],
      ...['classifier/output_weights', 'classifier/output_bias', 'qa/output_weights', 'qa/output_bias'],
    ]
    const slots = (list: Iterable<Parameter>): string[] => [...list].map(({ slot }) => slot)
    expect(slots(parametersOf(model))).toEqual([...before, ...block.map((name) => `encoder/shared/${name}`), ...after])
    expect(slots(outerParameters(model))).toEqual([...before, ...after])
    const inner = model.layers[0]![0]!
    expect(blockRoles(inner).map(([role, { slot }]) => [role, slot])).toEqual(
      block.map((role) => [role, `encoder/shared/${role}`]),
    )
    const unbiased = { ...inner, query: { ...inner.query, bias: null } }
    expect(blockRoles(unbiased).map(([role]) => role)).toEqual(block.filter((role) => role !== 'attention/query/bias'))
    // A configuration holds no parameters, even if it has fields of their names.
    const config = { ...model.config, slot: '', variable: '' }
    expect(slots(parametersOf({ config }))).toEqual([])
    expect(slots(parametersOf({ a: { slot: 'x' }, b: null, c: 'y', d: { variable: 'z' } }))).toEqual([])
  })

  it('are counted by their uses', () => {
    const { model } = tinyModel({ layers: 3, inner: 2, heads: ['pooler'] })
    const counts = useCounts(model)
    expect(counts.size).toBe([...parametersOf(model)].length)
    for (const [{ slot }, n] of counts) expect([slot, n]).toEqual([slot, slot.startsWith('encoder/shared') ? 3 : 1])
    const apart = tinyModel({ layers: 3, shared: false })
    expect(new Set(useCounts(apart.model).values())).toEqual(new Set([1]))
  })
})

describe('a model with its weights in another file', () => {
  const { model } = tinyModel({ layers: 2, layout: 'transposed', heads: ['pooler'] })
  const kernel = 'encoder/shared/attention/query/kernel'
  const { query } = model.layers[0]![0]!
  const file = new MemorySource()
  file.set(kernel, 'F16', [24, 24], new Uint8Array(24 * 24 * 2))
  file.set('encoder/shared/ffn/intermediate/kernel', 'BF16', [51, 24], new Uint8Array(51 * 24 * 2))

  it.each([
    ['stored', { layout: 'transposed', shape: [24, 51], storedShape: [51, 24] }],
    ['logical', { layout: 'as_is', shape: [24, 51], storedShape: [24, 51] }],
  ] as const)('in %s order', (order, placed) => {
    const bound = rebind(model, file, order)
    const [first, second] = bound.layers.map(([block]) => block!)
    expect(first!.intermediate.kernel).toEqual({
      slot: 'encoder/shared/ffn/intermediate/kernel',
      variable: 'encoder/shared/ffn/intermediate/kernel',
      dtype: 'BF16',
      ...placed,
    })
    // What is shared stays shared, and what the file lacks stays where it was.
    expect(second!.query.kernel).toBe(first!.query.kernel)
    expect(first!.query.kernel).not.toBe(query.kernel)
    expect(first!.query.bias).toBe(query.bias)
    expect(bound.config).toBe(model.config)
    expect([bound.mlm, bound.embeddings.factor, bound.layers.length]).toEqual([null, null, 2])
  })

  it('in an order of each weight, with fewer rows', () => {
    const form: FileForm = {
      layoutOf: (slot) => (slot === kernel ? 'transposed' : 'as_is'),
      cut: (p) => ({ ...p, shape: [(p.shape[0] ?? 0) - 1, ...p.shape.slice(1)] }),
    }
    const [block] = rebind(model, file, form).layers[0]!
    expect(block!.query.kernel).toMatchObject({ layout: 'transposed', shape: [23, 24], storedShape: [24, 23] })
    expect(block!.intermediate.kernel).toMatchObject({ layout: 'as_is', shape: [23, 51], storedShape: [23, 51] })
    expect(block!.key.kernel).toBe(model.layers[0]![0]!.key.kernel)
    // Groups are in the order of the model's own source.
    const [grouped] = rebind(model, file, { layoutOf: () => 'grouped', cut: (p) => p }).layers[0]!
    expect(grouped!.query.kernel).toEqual({ ...query.kernel, variable: kernel, dtype: 'F16' })
  })

  it('may have other element types', () => {
    const other = new MemorySource()
    other.set(`source/${kernel}`, 'BF16', [24, 24], new Uint8Array(24 * 24 * 2))
    const [block] = retyped(model, other).layers[0]!
    expect(block!.query.kernel).toEqual({ ...query.kernel, dtype: 'BF16' })
    expect(block!.query.bias).toEqual(query.bias)
  })
})

describe('transposing within larger matrices', () => {
  it.each([
    [1, 1],
    [7, 9],
    [8, 8],
    [9, 16],
    [17, 8],
  ])('%i x %i copies what it is given and nothing else', (high, wide) => {
    const [stride, pitch, start, first] = [wide + 3, high + 2, 5, 4]
    const from = Float32Array.from(counting(start + stride * (high + 1)))
    const to = new Float64Array(first + pitch * (wide + 1)).fill(-1)
    transposeInto({ data: from, start, stride }, { data: to, start: first, stride: pitch }, high, wide)
    const wanted = new Float64Array(to.length).fill(-1)
    for (let r = 0; r < high; r++)
      for (let c = 0; c < wide; c++) wanted[first + c * pitch + r] = from[start + r * stride + c]!
    expect([...to]).toEqual([...wanted])
  })
})

describe('views', () => {
  const source = new MemorySource()

  it('give places in the logical tensor', () => {
    expect(unravel(0, [2, 3])).toEqual([0, 0])
    expect(unravel(5, [2, 3])).toEqual([1, 2])
    expect(unravel(17, [2, 3, 3])).toEqual([1, 2, 2])
    expect(unravel(0, [])).toEqual([])
    const place = (layout: Parameter['layout'], shape: number[], index: number): readonly number[] =>
      storedView(source, parameterIn(source, 'x', shape, counting(12), { layout })).place(index)
    expect(place('as_is', [4, 3], 5)).toEqual([1, 2])
    expect(place('transposed', [4, 3], 5)).toEqual([1, 1])
    expect(place('grouped', [2, 3, 2], 5)).toEqual([1, 1, 0])
    const view = computedView([2, 2], (start, target) => {
      target.fill(start)
    })
    const target = new Float32Array(1)
    view.read(3, target)
    expect([view.shape, view.place(3), [...target]]).toEqual([[2, 2], [1, 1], [3]])
  })

  it('hold small transposed tensors, and read large ones by strips', () => {
    const small = parameterIn(source, 'small', [2, 3], counting(6), { layout: 'transposed' })
    const view = logicalView(source, small)
    source.reads = 0
    const target = new Float32Array(2)
    view.read(0, target)
    view.read(2, target)
    expect([[...target], source.reads, view.shape, view.place(4)]).toEqual([[5, 2], 1, [2, 3], [1, 1]])
    const asIs = parameterIn(source, 'stored', [2, 3], counting(6))
    expect(logicalView(source, asIs).shape).toEqual([2, 3])
    // One element more than is held.
    const [rows, columns] = [2 ** 21 + 1, 2]
    const values = new Float32Array(rows * columns)
    for (let i = 0; i < values.length; i++) values[i] = i
    const large = parameterIn(source, 'large', [rows, columns], values, { layout: 'transposed' })
    const strips = logicalView(source, large)
    Object.assign(source, { reads: 0, largestRead: 0 })
    const part = new Float32Array(5)
    strips.read(3, part)
    expect([...part]).toEqual([rows + 1, 2, rows + 2, 3, rows + 3])
    expect([source.reads, source.largestRead]).toEqual([2, 12])
  })
})
