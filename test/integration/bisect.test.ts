import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openModel, type OpenedModel } from '../../src/api/open/open.js'
import { artefactPath, type GraphTarget } from '../../src/base/artefact-layout.js'
import { verifyOpened } from '../../src/api/verify/verify.js'
import { exportModel } from '../../src/export/export.js'
import type { AlbertModel, Block, Dense } from '../../src/model/albert.js'
import { create, fromBinary, onnx, toBinary } from '../../src/proto/onnx.js'
import type { Operation } from '../../src/compare/stages.js'
import { writeRandomModel, type Kind, type Shape } from '../helpers/random-model.js'

// Artefacts that are damaged in one place, as converters have got them wrong: `--bisect` must name the place.

const folder = mkdtempSync(join(tmpdir(), 'albertkit-bisect-'))
const SHAPE: Shape = {
  layers: 4,
  groups: 2,
  inner: 1,
  hidden: 16,
  embedding: 8,
  intermediate: 24,
  sharing: 'none',
  preNorm: false,
  act: 'gelu_tanh',
  heads: ['classifier'],
  pooler: true,
}
const models = new Map<Kind, OpenedModel>()

const right = (kind: Kind): OpenedModel => models.get(kind)!

beforeAll(async () => {
  for (const kind of ['bert', 'google', 'google_fast'] as const) {
    const path = join(folder, kind)
    // google_fast has sixteen groups of channels.
    await writeRandomModel(path, kind, kind === 'google_fast' ? { ...SHAPE, hidden: 32, intermediate: 64 } : SHAPE, 0.2)
    models.set(kind, await openModel(path))
  }
})
afterAll(() => {
  for (const model of models.values()) model.close()
  rmSync(folder, { recursive: true, force: true })
})

/** The model with layer `at` made another one. */
const inLayer =
  (at: number, change: (block: Block) => Block) =>
  (model: AlbertModel): AlbertModel => ({
    ...model,
    layers: model.layers.map((inner, l) => (l === at ? inner.map(change) : inner)),
  })

/** A square kernel with rows for columns. */
const turned = (dense: Dense): Dense => ({
  ...dense,
  kernel: { ...dense.kernel, layout: dense.kernel.layout === 'transposed' ? 'as_is' : 'transposed' },
})

const configured =
  (change: Partial<AlbertModel['config']>) =>
  (model: AlbertModel): AlbertModel => ({
    ...model,
    config: { ...model.config, ...change },
  })

/** Layer 2 with the weights of another group: the wrong formula for which layer has which. */
const wrongGroup = (model: AlbertModel): AlbertModel => ({
  ...model,
  layers: model.layers.map((inner, l) => (l === 2 ? model.layers[0]! : inner)),
})

type Case = readonly [
  what: string,
  kind: Kind,
  damage: (model: AlbertModel) => AlbertModel,
  layer: number | null,
  operation: Operation,
]
const CASES: readonly Case[] = [
  ['a wrong epsilon', 'bert', configured({ layer_norm_eps: 1e-5 }), -1, 'LayerNorm'],
  ['erf for the tanh form of GELU', 'google', configured({ hidden_act: 'gelu_erf' }), 0, 'FFN'],
  ['a weaker mask', 'google_fast', configured({ mask_penalty: -1 }), 0, 'softmax'],
  ['a transposed query kernel', 'bert', inLayer(2, (b) => ({ ...b, query: turned(b.query) })), 2, 'attention scores'],
  ['a transposed value kernel', 'bert', inLayer(1, (b) => ({ ...b, value: turned(b.value) })), 1, 'context'],
  [
    'a transposed output kernel',
    'bert',
    inLayer(3, (b) => ({ ...b, attentionOutput: turned(b.attentionOutput) })),
    3,
    'dense',
  ],
  ['query and key swapped', 'google', inLayer(2, (b) => ({ ...b, query: b.key, key: b.query })), 2, 'attention scores'],
  [
    'LayerNorms swapped',
    'bert',
    inLayer(1, (b) => ({ ...b, attentionNorm: b.outputNorm, outputNorm: b.attentionNorm })),
    1,
    'LayerNorm',
  ],
  ['a swapped group', 'google', wrongGroup, 2, 'attention scores'],
  ['a transposed pooler', 'google', (m) => ({ ...m, pooler: turned(m.pooler!) }), null, 'head'],
]

const TARGETS: readonly (readonly [kind: GraphTarget, runner: string])[] = [
  ['onnx', 'onnxruntime'],
  ['tfjs', 'tfjs-wasm'],
]

describe.each(TARGETS)('%s in %s', (target, runner) => {
  it.each(CASES)('%s is found in %s', async (what, kind, damage, layer, operation) => {
    const source = right(kind)
    const directory = join(folder, `${target}-${what}`)
    await exportModel(damage(source.model), source.source, target, directory, { task: 'auto', allOutputs: false })
    const report = await verifyOpened(source, directory, { bisect: true, runners: [runner] })
    expect(report.ok).toBe(false)
    expect(report.firstDivergent).toMatchObject({ runner, layer, operation })
    // The same place, from hidden states alone and the operations of the runtime that differs.
    const layers = await verifyOpened(source, directory, { layers: true, runners: [runner] })
    if (layer !== null && layer >= 0) expect(layers.firstDivergent).toMatchObject({ runner, layer, operation })
  })

  it('a sound file has nothing to find', async () => {
    for (const source of models.values()) {
      const directory = join(folder, `${target}-sound-${source.config.family}`)
      await exportModel(source.model, source.source, target, directory, { task: 'auto', allOutputs: false })
      const report = await verifyOpened(source, directory, { bisect: true, runners: [runner] })
      expect(report.operations?.filter((o) => !o.ok)).toEqual([])
      expect(report).toMatchObject({ ok: true, firstDivergent: null })
      expect(new Set(report.operations?.map((o) => o.layer))).toEqual(new Set([-1, 0, 1, 2, 3, null]))
    }
  })
})

/** Changes one node of an exported ONNX file. */
function editNode(file: string, name: RegExp, edit: (node: onnx.NodeProto, graph: onnx.GraphProto) => void): void {
  const model = fromBinary(onnx.ModelProtoSchema, readFileSync(file))
  const node = model.graph?.node.find((n) => name.test(n.name))
  if (node === undefined || model.graph === undefined) throw new Error(`there is no node ${String(name)}`)
  edit(node, model.graph)
  writeFileSync(file, toBinary(onnx.ModelProtoSchema, model))
}

const asIdentity = (node: onnx.NodeProto): void => {
  node.opType = 'Identity'
  node.input.length = 1
}
const constant =
  (value: number) =>
  (node: onnx.NodeProto, graph: onnx.GraphProto): void => {
    const rawData = new Uint8Array(Float32Array.of(value).buffer)
    graph.initializer.push(create(onnx.TensorProtoSchema, { name: 'wrong', dataType: 1, rawData }))
    node.input[1] = 'wrong'
  }

const NODES: readonly (readonly [string, RegExp, Parameters<typeof editNode>[2], number | null, Operation])[] = [
  ['another scale of the scores', /layer_1\/.*scores\/Div$/, constant(1.5), 1, 'attention scores'],
  ['a mask of −10', /^attention_bias\/Mul$/, constant(-10), 0, 'softmax'],
  ['a bias left out', /layer_2\/ffn\/intermediate\/Add$/, asIdentity, 2, 'FFN'],
  ['a residual left out', /layer_1\/attention\/Add$/, asIdentity, 1, 'dense'],
  ['a pooler without tanh', /^pooler\/Tanh$/, asIdentity, null, 'head'],
  [
    'softmax over another axis',
    /layer_3\/.*Softmax$/,
    (node) => {
      node.attribute[0]!.i = 2n
    },
    3,
    'softmax',
  ],
]

it.each(NODES)('%s in one node of an ONNX file is found', async (what, name, edit, layer, operation) => {
  const source = right('bert')
  const directory = join(folder, `edited-${what}`)
  await exportModel(source.model, source.source, 'onnx', directory, { task: 'auto', allOutputs: false })
  editNode(join(directory, artefactPath('onnx')), name, edit)
  const report = await verifyOpened(source, directory, { bisect: true, runners: ['onnxruntime'] })
  expect(report.weights).toMatchObject([{ ok: true }])
  expect(report).toMatchObject({ ok: false, firstDivergent: { layer, operation } })
})

it('an epsilon that is wrong in one node of an ONNX file is found there, though every weight is right', async () => {
  const source = right('bert')
  const directory = join(folder, 'node')
  await exportModel(source.model, source.source, 'onnx', directory, { task: 'auto', allOutputs: false })
  const file = join(directory, artefactPath('onnx'))
  const model = fromBinary(onnx.ModelProtoSchema, readFileSync(file))
  const node = model.graph?.node.find(
    (n) => n.opType === 'LayerNormalization' && n.name.startsWith('encoder/layer_2/attention'),
  )
  const epsilon = node?.attribute.find(({ name }) => name === 'epsilon')
  if (epsilon === undefined) throw new Error('there is no such node')
  Object.assign(epsilon, create(onnx.AttributeProtoSchema, { name: 'epsilon', type: epsilon.type, f: 1e-3 }))
  writeFileSync(file, toBinary(onnx.ModelProtoSchema, model))
  const report = await verifyOpened(source, directory, { bisect: true })
  expect(report.weights).toMatchObject([{ ok: true }])
  expect(report).toMatchObject({
    ok: false,
    firstDivergent: { runner: 'onnxruntime', layer: 2, operation: 'LayerNorm' },
  })
  expect(report.operations?.filter((o) => !o.ok)).toHaveLength(1)
})
