// What is fuzzed: for each reader a small sound model, the rules by which it is damaged, and how it is read.
import { readFileSync, writeFileSync } from 'node:fs'
import { deserialize, serialize } from 'node:v8'
import { gzipSync } from 'node:zlib'
import { mutate, ruled } from './bytes.js'
import * as binary from './binary.js'
import { mutateJsonBytes } from './json.js'
import * as judging from './judge.js'
import { mutatePickle, mutatePickles } from './pickle.js'
import { makeSound } from './sound.js'
import { sideFileReaders } from './side-files.js'
import { mutateTable } from './table.js'
import { mutateTar, mutateTarGz, tarOf } from './tar.js'
import { mutateWire } from './wire.js'
import { mutateZip, zipOf } from './zip.js'

/** Writes the sound files once, for the processes that read their mutants. */
export const saveSound = async (path) => writeFileSync(path, serialize(await makeSound()))
export const loadSound = (path) => deserialize(readFileSync(path))

const text = (content) => new TextEncoder().encode(content)
const SQUAD =
  '{"version":"1.1","data":[{"title":"t","paragraphs":[{"context":"a b c","qas":[{"id":"1","question":"b?","answers":[{"text":"b","answer_start":2}]}]}]}]}'

/** Rules for the members of archives, by the ends of their names. */
const RULES = {
  '.safetensors': ruled(binary.mutateSafetensors),
  '.json': ruled(mutateJsonBytes),
  '.index': ruled(mutateTable),
  '.pkl': ruled(mutatePickle),
  '.npy': ruled(binary.mutateNpy),
}
function byName(name, bytes, next) {
  const end = Object.keys(RULES).find((suffix) => name.endsWith(suffix))
  return (RULES[end] ?? mutate)(bytes, next)
}

const listOf = (files) => [...files].map(([name, data]) => ({ name, data }))

/**
 * Readers by name. `files` are sound; those that match `damaged` are changed, by `structure` (rules of the format, with
 * its lengths and checksums made right again) or byte by byte; `read` gives all contents as a text.
 */
export function readersOf(sound) {
  const { readTensors, readModel, readTokenizer, readLines, readQuestions, readRecords } = judging
  const tensors = (files, damaged, path, structure) => ({ files, damaged, path, structure, read: readTensors })
  const members = (list, path, structure, file) => ({
    ...{ files: new Map([[path, file]]), damaged: /./, path, read: readTensors },
    structure: (_, next) => structure(list, next),
  })
  const zipped = (list, path, options) =>
    members(list, path, (all, next) => mutateZip(all, next, { inner: byName, ...options }), zipOf(list, options))
  const one = (name, content, structure, read) => ({
    ...{ files: new Map([[name, content]]), damaged: /./, path: name, structure, read },
  })
  const pick = (files, pattern) => new Map([...files].filter(([name]) => pattern.test(name)))
  const [pickles2, pickles4] = sound.torch
  const archive = [...listOf(sound.bundle).map(({ name, data }) => ({ name: `model/${name}`, data, deflate: true }))]
  const packed = listOf(sound.safetensors)
  const pickled = pickles4.find(({ name }) => name.endsWith('.pkl'))
  const tokenizerJson = pick(sound.out, /^(tokenizer\.json|vocab\.txt|tokenizer_config\.json)$/)
  return {
    bundle: tensors(sound.bundle, /\.index$/, '', mutateTable),
    v1: tensors(sound.v1, /ckpt$/, 'model.ckpt', mutateTable),
    'v1-sliced': tensors(sound['v1-sliced'], /ckpt$/, 'model.ckpt', mutateTable),
    'saved-model': tensors(sound.savedModel, /\.pb$/, '', mutateWire),
    'graph-def': tensors(sound.graph, /\.pb$/, 'graph.pb', mutateWire),
    safetensors: tensors(sound.safetensors, /./, 'model.safetensors', binary.mutateSafetensors),
    sharded: tensors(sound.sharded, /json$/, 'model.safetensors.index.json', mutateJsonBytes),
    'torch-zip': zipped(pickles2, 'model.bin', { align: 64 }),
    'torch-legacy': tensors(sound.legacy, /./, 'model.bin', mutatePickles),
    pickle: members(
      pickles4,
      'model.pt',
      (all, next) =>
        zipOf(all.map((m) => (m.name.endsWith('.pkl') ? { ...m, data: mutatePickle(pickled.data, next) } : m))),
      zipOf(pickles4),
    ),
    hdf5: tensors(sound.hdf5, /./, 'odd.h5', binary.mutateHdf5),
    keras: tensors(sound.keras, /./, 'model.keras', mutate),
    onnx: tensors(pick(sound.out, /onnx$/), /./, 'onnx/model.onnx', mutateWire),
    tfjs: tensors(pick(sound.out, /^tfjs/), /model\.json$/, 'tfjs/model.json', mutateJsonBytes),
    tflite: tensors(pick(sound.out, /tflite$/), /./, 'tflite/model.tflite', binary.mutateFlatBuffer),
    npz: zipped(sound.npz, 'arrays.npz', {}),
    zip: zipped(archive, 'model.zip', {}),
    tar: members(packed, 'model.tar', (all, next) => mutateTar(all, next, byName), tarOf(packed)),
    'tar.gz': members(
      packed,
      'model.tar.gz',
      (all, next) => mutateTarGz(all, next, byName),
      new Uint8Array(gzipSync(tarOf(packed))),
    ),
    spiece: one('spiece.model', sound.spiece.get('spiece.model'), mutateWire, readTokenizer),
    vocabulary: one('vocab.txt', sound.tf.get('vocab.txt'), binary.mutateLines, readTokenizer),
    'tokenizer.json': {
      ...{ files: tokenizerJson, damaged: /json$/, path: 'tokenizer.json', structure: mutateJsonBytes },
      read: readTokenizer,
    },
    tfrecord: one('a.tfrecord', sound.records.get('features.tfrecord'), binary.mutateRecords, readRecords),
    csv: one('a.csv', text('label,text\n1,"a ""b"""\n2,c\n'), binary.mutateLines, readLines('csv')),
    tsv: one('a.tsv', text('label\ttext\n1\ta b\n2\tc\n'), binary.mutateLines, readLines('tsv')),
    jsonl: one('a.jsonl', text('{"text":"a","label":1}\n"b"\n["c","d"]\n'), binary.mutateLines, readLines('jsonl')),
    squad: one('a.json', text(SQUAD), mutateJsonBytes, readQuestions),
    config: { files: sound.tf, damaged: /config\.json$/, path: '', structure: mutateJsonBytes, read: readModel },
    model: {
      ...{
        files: pick(sound.out, /^(model\.safetensors|config\.json|vocab\.txt)$/),
        damaged: /safetensors$/,
        path: '',
      },
      ...{ structure: binary.mutateSafetensors, read: readModel },
    },
    ...sideFileReaders(sound),
  }
}
