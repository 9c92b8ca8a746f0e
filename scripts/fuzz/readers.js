// What is fuzzed: for each reader the files of a small sound model, those that are damaged, and how they are read.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as albertkit from '../../dist/index.js'
import { ZipFile } from 'yazl'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const CONFIG = {
  ...{ vocab_size: 300, embedding_size: 8, hidden_size: 16, num_hidden_layers: 2, num_hidden_groups: 1 },
  ...{ inner_group_num: 1, num_attention_heads: 2, intermediate_size: 32, max_position_embeddings: 16 },
  ...{ type_vocab_size: 2, hidden_act: 'gelu' },
}

/** Files of a folder by their paths in it. */
function filesOf(folder) {
  const found = readdirSync(folder, { recursive: true }).map((name) => join(folder, name))
  return new Map(found.filter((f) => statSync(f).isFile()).map((f) => [relative(folder, f), readFileSync(f)]))
}

/** A zip archive of files. */
async function zipped(files) {
  const zip = new ZipFile()
  for (const [name, bytes] of files) zip.addBuffer(bytes, name)
  zip.end()
  const parts = []
  for await (const part of zip.outputStream) parts.push(part)
  return Buffer.concat(parts)
}

/** Reads every tensor of a sane size. */
function readAllOf(source) {
  for (const { name, dtype, byteLength } of source.tensors.values())
    if (byteLength < 1e6 && !['STRING', 'VARIANT', 'OTHER'].includes(dtype)) albertkit.readAll(source, name)
}

/** Reads all tensors of a file without a configuration. */
async function readTensors(files, path) {
  const source = await albertkit.openSource(path, { files, checksum: false })
  try {
    readAllOf(source)
  } finally {
    source.close()
  }
}

/** Opens and reads all of a model: identification, configuration, every tensor, its tokenizer. */
async function readModel(files, path) {
  const opened = await albertkit.openModel(path, { files, checksum: false, manifest: false })
  try {
    readAllOf(opened.source)
  } finally {
    opened.close()
  }
}

/** PyTorch files, which only the fixtures beside the project have. */
function torchModels(shared) {
  const found = readdirSync(join(shared, 'hf'), { recursive: true }).find((name) => name.endsWith('pytorch_model.bin'))
  if (found === undefined) return {}
  const folder = dirname(join(shared, 'hf', found))
  const files = new Map(
    [...filesOf(folder)].filter(([name]) => /^(pytorch_model\.bin|config\.json|vocab\.txt)$/.test(name)),
  )
  return { torch: { files, damaged: /\.bin$/, path: '', read: readModel } }
}

const readTokenizer = (files, path) => {
  albertkit.loadTokenizer(path, { files }).encode('the 12 央行 [MASK] ﬁ é')
}

const readLines = (format) => (files, path) => {
  const reader = new albertkit.ExampleReader({ format, header: true })
  const file = files.open(path)
  const bytes = new Uint8Array(file.size)
  if (bytes.length > 0) file.read(0, bytes)
  file.close()
  const lines = new TextDecoder().decode(bytes).split('\n')
  lines.forEach((text, i) => reader.read({ number: i + 1, text }))
}

/** Sound files of every reader. */
export async function makeReaders() {
  const folder = mkdtempSync(join(tmpdir(), 'albertkit-fuzz-'))
  try {
    const config = join(folder, 'albert_config.json')
    writeFileSync(config, JSON.stringify(CONFIG))
    const [tf, out] = [join(folder, 'tf'), join(folder, 'out')]
    await albertkit.initModel(config, tf, { task: 'classify', target: 'tf' })
    const targets = ['onnx', 'tfjs', 'safetensors', 'tflite']
    await albertkit.convertModel(tf, out, { targets, verify: false, sequence: 16 })
    const [source, made] = [filesOf(tf), filesOf(out)]
    const formats = filesOf(join(ROOT, 'test/fixtures/formats'))
    const pick = (files, pattern) => new Map([...files].filter(([name]) => pattern.test(name)))
    const model = (files, damaged, path = '') => ({ files, damaged, path, read: readModel })
    const keras = [...formats.keys()].find((name) => name.endsWith('.keras'))
    const v1 = pick(formats, /^dtypes-v1/)
    const zip = new Map([['model.zip', await zipped(source)]])
    const shared = join(ROOT, '../shared/fixtures')
    const torch = existsSync(shared) ? torchModels(shared) : {}
    const readers = {
      ...torch,
      bundle: model(source, /\.index$/),
      config: model(source, /config\.json$/),
      safetensors: model(pick(made, /^(model\.safetensors|config\.json|vocab\.txt)$/), /safetensors$/),
      onnx: model(made, /\.onnx$/, 'onnx/model.onnx'),
      tfjs: model(made, /tfjs\/model\.json$/, 'tfjs/model.json'),
      tflite: model(made, /\.tflite$/, 'tflite/model.tflite'),
      hdf5: { ...model(formats, /^odd\.h5$/, 'odd.h5'), read: readTensors },
      keras: keras === undefined ? null : model(formats, /\.keras$/, keras),
      npz: { ...model(formats, /^arrays-compressed\.npz$/, 'arrays-compressed.npz'), read: readTensors },
      v1: { ...model(v1, /ckpt$/, 'dtypes-v1.ckpt'), read: readTensors },
      zip: model(zip, /zip$/, 'model.zip'),
      vocabulary: { files: source, damaged: /vocab\.txt$/, path: 'vocab.txt', read: readTokenizer },
      'tokenizer.json': { files: made, damaged: /tokenizer\.json$/, path: 'tokenizer.json', read: readTokenizer },
      csv: {
        files: new Map([['a.csv', Buffer.from('label,text\n1,"a ""b"""\n2,c\n')]]),
        damaged: /csv$/,
        path: 'a.csv',
        read: readLines('csv'),
      },
      jsonl: {
        files: new Map([['a.jsonl', Buffer.from('{"text":"a","label":1}\n"b"\n')]]),
        damaged: /jsonl$/,
        path: 'a.jsonl',
        read: readLines('jsonl'),
      },
    }
    return Object.fromEntries(Object.entries(readers).filter(([, reader]) => reader !== null))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
