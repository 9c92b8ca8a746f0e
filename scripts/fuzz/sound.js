// Small sound files of every format, made here of a few tensors, and of a tiny random model.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as albertkit from '../../dist/index.js'
import { frameRecord } from '../../dist/formats/tf-record.js'
import { BundleWriter } from '../../dist/formats/tf-bundle/write.js'
import { create, tensorflow, toBinary } from '../../dist/proto/tensorflow.js'
import { encodeRecord } from '../../dist/text/data/feature-record.js'
import { writeV1 } from '../tensorflow-files.js'
import { soundSideFiles } from './side-files.js'
import { joined } from './bytes.js'
import { varint } from './wire.js'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const CONFIG = {
  ...{ vocab_size: 24, embedding_size: 4, hidden_size: 8, num_hidden_layers: 1, num_hidden_groups: 1 },
  ...{ inner_group_num: 1, num_attention_heads: 2, intermediate_size: 8, max_position_embeddings: 8 },
  ...{ type_vocab_size: 2, hidden_act: 'gelu' },
}
const WORDS = [
  '[PAD]',
  '[UNK]',
  '[CLS]',
  '[SEP]',
  '[MASK]',
  '央',
  '行',
  'the',
  '##s',
  'a',
  '1',
  '2',
  '12',
  '.',
  'é',
  'e',
]

const utf8 = (text) => new TextEncoder().encode(text)
const floats = (count, seed) =>
  new Uint8Array(Float32Array.from({ length: count }, (_, i) => Math.sin(i + seed)).buffer)
const TENSORS = [
  { name: 'bert/a/bias', dtype: 'F32', shape: [3], bytes: floats(3, 1) },
  { name: 'bert/a/kernel', dtype: 'F32', shape: [3, 2], bytes: floats(6, 2) },
  { name: 'bert/b/empty', dtype: 'F32', shape: [0, 4], bytes: new Uint8Array(0) },
  { name: 'bert/b/half', dtype: 'F16', shape: [2, 2], bytes: Uint8Array.of(0, 60, 0, 64, 0, 66, 0, 68) },
  { name: 'global_step', dtype: 'I64', shape: [], bytes: Uint8Array.of(7, 0, 0, 0, 0, 0, 0, 0) },
]

/** Files of a folder by their paths in it. */
export function filesOf(folder) {
  const found = readdirSync(folder, { recursive: true }).map((name) => join(folder, name))
  return new Map(
    found.filter((f) => statSync(f).isFile()).map((f) => [relative(folder, f), new Uint8Array(readFileSync(f))]),
  )
}

function safetensors(tensors) {
  let at = 0
  const entries = tensors.map(({ name, dtype, shape, bytes }) => {
    const data_offsets = [at, (at += bytes.length)]
    return [name, { dtype, shape, data_offsets }]
  })
  const text = JSON.stringify({ __metadata__: { format: 'pt' }, ...Object.fromEntries(entries) })
  const header = utf8(text + ' '.repeat((8 - (text.length % 8)) % 8))
  const length = new Uint8Array(8)
  new DataView(length.buffer).setBigUint64(0, BigInt(header.length), true)
  return joined([length, header, ...tensors.map(({ bytes }) => bytes)])
}

function sharded() {
  const shards = [TENSORS.slice(0, 2), TENSORS.slice(2)]
  const names = shards.map((_, i) => `model-0000${i + 1}-of-00002.safetensors`)
  const weight_map = Object.fromEntries(shards.flatMap((shard, i) => shard.map(({ name }) => [name, names[i]])))
  const index = utf8(JSON.stringify({ metadata: { total_size: 76 }, weight_map }))
  return new Map([...shards.map((shard, i) => [names[i], safetensors(shard)]), ['model.safetensors.index.json', index]])
}

function bundle() {
  const parts = []
  const writer = new BundleWriter((bytes) => parts.push(bytes))
  for (const { name, dtype, shape, bytes } of TENSORS) writer.add(name, dtype, shape, (sink) => sink(bytes))
  const index = writer.finish()
  return new Map([
    ['model.ckpt.index', new Uint8Array(index)],
    ['model.ckpt.data-00000-of-00001', joined(parts)],
  ])
}

/** A V1 checkpoint of the float32 tensors, whole or in slices of so many rows. */
function v1(rows) {
  const folder = mkdtempSync(join(tmpdir(), 'albertkit-fuzz-'))
  try {
    const tensors = new Map(TENSORS.filter(({ bytes }) => bytes.length > 0).map((tensor) => [tensor.name, tensor]))
    const read = (name, offset, target) => target.set(tensors.get(name).bytes.subarray(offset, offset + target.length))
    writeV1(join(folder, 'model.ckpt'), { tensors, read }, { rows })
    return filesOf(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const DTYPES = { F32: 1, F16: 19, I64: 9 }
const node = (name, op, input, attr) => ({ name, op, input, attr })
function graph() {
  const constants = TENSORS.map(({ name, dtype, shape, bytes }) => {
    const tensorShape = { dim: shape.map((size) => ({ size: BigInt(size) })) }
    const tensor = { dtype: DTYPES[dtype], tensorShape, tensorContent: bytes }
    return node(name, 'Const', [], { value: { value: { case: 'tensor', value: tensor } } })
  })
  const typed = { dtype: 1, tensorShape: { dim: [{ size: 4n }] }, floatVal: [1, 2, 3] }
  constants.push(node('bert/c/values', 'Const', [], { value: { value: { case: 'tensor', value: typed } } }))
  constants.push(node('bert/MatMul', 'MatMul', ['bert/a/kernel', 'bert/a/bias'], {}))
  return toBinary(tensorflow.GraphDefSchema, create(tensorflow.GraphDefSchema, { node: constants }))
}

const field = (number, bytes) => joined([varint(number * 8 + 2), varint(bytes.length), bytes])

/** saved_model.pb around a graph: tags, version, a signature; the variables are a bundle. */
function savedModel() {
  const info = joined([field(4, utf8('serve')), field(5, utf8('2.15.0'))])
  const signature = joined([field(1, utf8('serving_default')), field(2, field(3, utf8('tensorflow/serving/predict')))])
  const meta = joined([field(1, info), field(2, graph()), field(5, signature)])
  const variables = [...bundle()].map(([name, bytes]) => [
    `variables/${name.replace('model.ckpt', 'variables')}`,
    bytes,
  ])
  return new Map([['saved_model.pb', joined([Uint8Array.of(8, 1), field(2, meta)])], ...variables])
}

const latin = (text) => Uint8Array.from(Buffer.from(text, 'latin1'))
const short = (text) => joined([Uint8Array.of(0x8c, text.length), latin(text)])
const long = (text) => joined([Uint8Array.of(0x58, text.length, 0, 0, 0), latin(text)])
const small = (value) => Uint8Array.of(0x4b, value)
const global = (module, name) => latin(`c${module}\n${name}\n`)

/** The state dict of the float tensors as torch.save pickles it: protocol 2, or 4 with all that it has. */
function stateDict(legacy, protocol) {
  const text = protocol === 2 ? long : short
  const named = (module, name) =>
    protocol === 2 ? global(module, name) : joined([short(module), short(name), latin('\x93'), latin('\x94')])
  const ordered = joined([named('collections', 'OrderedDict'), latin(')R')])
  const tensors = TENSORS.filter(({ bytes }) => bytes.length > 0)
  const items = tensors.flatMap(({ name, dtype, shape, bytes }, i) => {
    const width = { F32: 4, F16: 2, I64: 8 }[dtype]
    const storage = { F32: 'FloatStorage', F16: 'HalfStorage', I64: 'LongStorage' }[dtype]
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((n, d) => n * d, 1))
    const id = [
      latin('('),
      text('storage'),
      named('torch', storage),
      text(String(i)),
      text('cpu'),
      small(bytes.length / width),
    ]
    const tuple = (values) => joined([latin('('), ...values.map(small), latin('t')])
    const args = [...id, latin(legacy ? 'NtQ' : 'tQ'), small(0), tuple(shape), tuple(strides), latin('\x89'), ordered]
    return [
      text(name),
      latin(`q${String.fromCharCode(i)}`),
      named('torch._utils', '_rebuild_tensor_v2'),
      latin('('),
      ...args,
      latin('tR'),
    ]
  })
  return joined([Uint8Array.of(0x80, protocol), ordered, latin('q\xf0('), ...items, latin('u.')])
}

/** Members of the zip that torch.save writes. */
function torchMembers(protocol) {
  const storages = TENSORS.filter(({ bytes }) => bytes.length > 0)
  return [
    { name: 'archive/data.pkl', data: stateDict(false, protocol) },
    { name: 'archive/byteorder', data: utf8('little') },
    ...storages.map(({ bytes }, i) => ({ name: `archive/data/${i}`, data: bytes })),
    { name: 'archive/version', data: utf8('3\n') },
  ]
}

/** The file that torch.save wrote before version 1.6: five pickles, then the storages. */
function torchLegacy() {
  const storages = TENSORS.filter(({ bytes }) => bytes.length > 0)
  const version = joined([latin('J'), Uint8Array.of(0xe9, 3, 0, 0)])
  const machine = joined([
    latin('\x80\x02}('),
    long('little_endian'),
    latin('\x88'),
    long('protocol_version'),
    version,
    latin('u.'),
  ])
  const keys = joined([latin('\x80\x02]('), ...storages.map((_, i) => long(String(i))), latin('e.')])
  const data = storages.flatMap(({ bytes, dtype }) => {
    const length = new Uint8Array(8)
    length[0] = bytes.length / { F32: 4, F16: 2, I64: 8 }[dtype]
    return [length, bytes]
  })
  const magic = Uint8Array.from(Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex'))
  return joined([magic, joined([latin('\x80\x02'), version, latin('.')]), machine, stateDict(true, 2), keys, ...data])
}

function npy({ dtype, shape, bytes }) {
  const descr = { F32: '<f4', F16: '<f2', I64: '<i8' }[dtype]
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }`
  const header = latin(dict + ' '.repeat(63 - ((10 + dict.length) % 64)) + '\n')
  return joined([Uint8Array.of(0x93, 78, 85, 77, 80, 89, 1, 0, header.length % 256, header.length >> 8), header, bytes])
}

const npzMembers = () =>
  TENSORS.map((tensor, i) => ({
    name: `${tensor.name.replaceAll('/', '.')}.npy`,
    data: npy(tensor),
    deflate: i % 2 === 0,
  }))

/** A SentencePiece model of the words, unigram, with a normalizer without rules. */
function spiece() {
  const float = (value) => joined([Uint8Array.of(0x15), new Uint8Array(Float32Array.of(value).buffer)])
  const kinds = { '<unk>': 2, '[CLS]': 3, '[SEP]': 3, '[MASK]': 4, '<pad>': 3 }
  const pieces = ['<pad>', '<unk>', '[CLS]', '[SEP]', '[MASK]', '▁', '▁the', 's', 'a', '1', '12', '央', '行', 'é', 'e']
  const parts = pieces.map((piece, i) =>
    field(1, joined([field(1, utf8(piece)), float(-i), Uint8Array.of(0x18, kinds[piece] ?? 1)])),
  )
  return joined([...parts, field(2, Uint8Array.of(0x18, 1)), field(3, Uint8Array.of(0x18, 1, 0x20, 1, 0x28, 1))])
}

const records = () => {
  const record = { input_ids: [2, 7, 3, 0], input_mask: [1, 1, 1, 0], segment_ids: [0, 0, 0, 0], label: 1, real: true }
  return joined([frameRecord(encodeRecord(record)), frameRecord(encodeRecord({ ...record, label: 0 }))])
}

/** A tiny model as a checkpoint, and what convert makes of it. */
async function models() {
  const folder = mkdtempSync(join(tmpdir(), 'albertkit-fuzz-'))
  try {
    const config = join(folder, 'albert_config.json')
    writeFileSync(config, JSON.stringify(CONFIG))
    const [tf, out] = [join(folder, 'tf'), join(folder, 'out')]
    await albertkit.initModel(config, tf, { task: 'classify', target: 'tf' })
    writeFileSync(
      join(tf, 'vocab.txt'),
      `${WORDS.join('\n')}\n${Array.from({ length: 24 - WORDS.length }, (_, i) => `[unused${i}]`).join('\n')}\n`,
    )
    const targets = ['onnx', 'tfjs', 'safetensors', 'tflite']
    await albertkit.convertModel(tf, out, { targets, verify: false, sequence: 8 })
    return { tf: filesOf(tf), out: filesOf(out) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** All sound files, by what they are for. */
export async function makeSound() {
  const fixtures = join(ROOT, 'test/fixtures/formats')
  const keras = new Uint8Array(readFileSync(join(fixtures, 'keras/albert_backbone_groups/model.keras')))
  const { tf, out } = await models()
  return {
    ...{ tf, out },
    ...soundSideFiles(out, safetensors, floats),
    safetensors: new Map([['model.safetensors', safetensors(TENSORS)]]),
    ...{ sharded: sharded(), bundle: bundle(), v1: v1(), 'v1-sliced': v1(2), savedModel: savedModel() },
    graph: new Map([['graph.pb', graph()]]),
    torch: [torchMembers(2), torchMembers(4)],
    legacy: new Map([['model.bin', torchLegacy()]]),
    npz: npzMembers(),
    hdf5: new Map([['odd.h5', new Uint8Array(readFileSync(join(fixtures, 'odd.h5')))]]),
    keras: new Map([['model.keras', keras]]),
    spiece: new Map([['spiece.model', spiece()]]),
    records: new Map([['features.tfrecord', records()]]),
  }
}
