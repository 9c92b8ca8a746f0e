import { expect, it } from 'vitest'
import { modelMetadata, NOTHING_PACKED, runtimeVersion } from '../../../src/export/tflite/metadata.js'
import { TfliteGraphOps } from '../../../src/export/tflite/graph.js'
import { forward } from '../../../src/model/forward.js'
import { selectOutputs } from '../../../src/model/outputs.js'
import { headsFor, type ResolvedTask } from '../../../src/model/tasks.js'
import { PlannedEncodings } from '../../../src/export/weights/encoding.js'
import { ByteBuffer, tfliteMetadata as meta } from '../../../src/proto/tflite.js'
import { tinyModel, type TinyOptions } from '../../helpers/tiny-model.js'
import type { PackedFiles } from '../../../src/export/options.js'

function graphOf(task: ResolvedTask, { integers = false, ...options }: TinyOptions & { integers?: boolean } = {}) {
  const { model, source } = tinyModel(options)
  const encodings = integers ? { encodings: new PlannedEncodings(source, 'int8') } : {}
  const ops = new TfliteGraphOps({ sequence: 8, ...encodings })
  return ops.finish(selectOutputs(forward(model, ops, ops.inputs, headsFor(task)), false))
}

const TEXTS = { description: 'albertkit', task: 'classify' }
const VOCABULARY = { name: 'vocab.txt', bytes: Uint8Array.of(65, 10) }
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

/** The metadata as a reader has them, and the packed files as text. */
function described(packed: PackedFiles, task: ResolvedTask = 'classify') {
  const { bytes, files } = modelMetadata(graphOf(task), TEXTS, packed)
  const buffer = new ByteBuffer(bytes)
  expect(meta.ModelMetadata.bufferHasIdentifier(buffer)).toBe(true)
  const model = meta.ModelMetadata.getRootAsModelMetadata(buffer).unpack()
  return { model, graph: model.subgraphMetadata[0]!, files: files.map(({ name, bytes: b }) => [name, text(b)]) }
}

it('describes tensors in the order of the graph, with class names at the logits alone', () => {
  const { graph, files } = described({ labels: ['a b', 'c\nd', 'e'], vocabulary: null })
  expect(graph.inputTensorMetadata.map(({ name }) => name)).toEqual(['ids', 'mask', 'segment_ids'])
  expect(
    graph.outputTensorMetadata.map(({ name, associatedFiles }) => [
      name,
      associatedFiles.map((file) => [file.name, file.type]),
    ]),
  ).toEqual([
    ['last_hidden_state', []],
    ['pooler_output', []],
    ['logits', [['labels.txt', meta.AssociatedFileType.TENSOR_AXIS_LABELS]]],
  ])
  expect(files).toEqual([['labels.txt', 'a b\nc d\ne\n']])
})

it('leaves class names out if the graph has no classifier', () => {
  const { graph, files } = described({ labels: ['a', 'b', 'c'], vocabulary: null }, 'features')
  expect(graph.outputTensorMetadata.flatMap(({ associatedFiles }) => associatedFiles)).toEqual([])
  expect(files).toEqual([])
})

it('names a vocabulary where tokenizers of its kind look for it', () => {
  const wordpiece = described({ labels: null, vocabulary: { kind: 'wordpiece', ...VOCABULARY } })
  const [unit] = wordpiece.graph.inputProcessUnits
  expect(unit!.optionsType).toBe(meta.ProcessUnitOptions.BertTokenizerOptions)
  expect(unit!.options).toMatchObject({
    vocabFile: [{ name: 'vocab.txt', type: meta.AssociatedFileType.VOCABULARY }],
  })
  expect(wordpiece.model.minParserVersion).toBe('1.1.0')
  expect(wordpiece.files).toEqual([['vocab.txt', 'A\n']])

  const pieces = described({ labels: null, vocabulary: { ...VOCABULARY, kind: 'sentencepiece', name: 'spiece.model' } })
  expect(pieces.graph.inputProcessUnits[0]!.options).toMatchObject({ modelFile: [{ name: 'spiece.model' }] })

  const other = described({ labels: null, vocabulary: { ...VOCABULARY, kind: 'other', name: 'tokenizer.json' } })
  expect(other.graph.inputProcessUnits).toEqual([])
  expect(other.graph.associatedFiles).toMatchObject([{ name: 'tokenizer.json' }])
  expect(other.model.minParserVersion).toBe('1.0.0')
})

it('says which runtime the operators need', () => {
  const version = (...[graph, inline]: Parameters<typeof runtimeVersion>): string =>
    text(runtimeVersion(graph, inline)).replaceAll('\0', '')
  expect(version(graphOf('features', { activation: 'relu' }), true)).toBe('2.3.0')
  expect(version(graphOf('features'), true)).toBe('2.9.0')
  expect(version(graphOf('features'), false)).toBe('2.14.0')
  expect(version(graphOf('features', { integers: true }), true)).toBe('2.17.0')
  expect(runtimeVersion(graphOf('features'), false)).toHaveLength(16)
  expect(modelMetadata(graphOf('features'), TEXTS, NOTHING_PACKED).files).toEqual([])
})
