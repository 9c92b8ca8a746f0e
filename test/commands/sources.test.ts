import { createHash } from 'node:crypto'
import {
  cpSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { writeTinyConfig } from '../helpers/tiny-files.js'
import { albertkit } from '../helpers/run.js'
import { ZH_NEWS } from '../helpers/shared.js'

// No option of any command replaces a file that the command reads, however the path is written, --force or not.

let folder: string
const at = (name: string): string => join(folder, name)
const model = (name = ''): string => join(at('model'), name)
const CKPT = ['model.ckpt.index', 'model.ckpt.data-00000-of-00001']

const hashes = (directory: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => [path, createHash('sha256').update(readFileSync(path)).digest('hex')]),
  )

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'albertkit-sources-'))
  mkdirSync(at('model'))
  for (const name of [...CKPT, 'albert_config.json', 'vocab.txt', 'labels.txt'])
    cpSync(join(ZH_NEWS, name), model(name))
  const lines = readFileSync(join(ZH_NEWS, 'test.tsv'), 'utf8').split('\n').slice(0, 20)
  writeFileSync(at('lines.tsv'), `${lines.join('\n')}\n`)
  cpSync(join(ZH_NEWS, 'golden.safetensors'), at('golden.safetensors'))
  symlinkSync('model', at('link'))
  symlinkSync(model('vocab.txt'), at('vocab.svg'))
  linkSync(model(CKPT[1]), at('hard.svg'))
  mkdirSync(at('page'))
  linkSync(model('vocab.txt'), at('page/index.html'))
  // An output directory that is the source of the next conversion into it.
  writeTinyConfig(at('albert_tiny.json'))
  const made = await albertkit(['init', at('albert_tiny.json'), '-o', at('tiny')])
  const converted = await albertkit([
    'convert',
    at('tiny'),
    '--to',
    'onnx',
    '--to',
    'tf',
    '--no-verify',
    '-o',
    at('out'),
  ])
  expect([made.code, converted.code], made.stderr + converted.stderr).toEqual([0, 0])
  await albertkit(['predict', model(), at('lines.tsv'), '--shard', '1/1', '-o', at('shards')])
}, 120_000)
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

const run = async (args: readonly string[]) => {
  const before = hashes(folder)
  const result = await albertkit(args)
  expect(hashes(folder), args.join(' ')).toEqual(before)
  expect([2, 5], `${args.join(' ')}: ${result.stderr}`).toContain(result.code)
  return result
}

const finetune = (): string[] => [
  ...['finetune', model(), '--train', at('lines.tsv'), '--input-format', 'tsv', '--steps', '1', '-o', at('trained')],
]

const cases: [string, () => string[]][] = [
  ['convert, its own folder', () => ['convert', model(), '--to', 'onnx', '--no-verify', '-o', model()]],
  ['convert, through a link', () => ['convert', model(), '--to', 'onnx', '--no-verify', '-o', at('link')]],
  ['convert, out of its output', () => ['convert', at('out/onnx/model.onnx'), '--to', 'onnx', '-o', at('out')]],
  [
    'convert, a folder that holds the source',
    () => ['convert', at('out/tf'), '--to', 'tf', '--no-verify', '-o', at('out')],
  ],
  ['verify --save, weights', () => ['verify', model(), '--save', model(CKPT[0])]],
  ['verify --save, vocabulary', () => ['verify', model(), '--save', model('vocab.txt')]],
  ['verify --save, labels', () => ['verify', at('link'), '--save', model('labels.txt')]],
  [
    'verify --svg, hard link',
    () => [
      'verify',
      model(),
      '--layers',
      '--runner',
      'reference',
      '--golden',
      at('golden.safetensors'),
      '--svg',
      at('hard.svg'),
    ],
  ],
  [
    'verify --svg, golden',
    () => [
      'verify',
      model(),
      '--layers',
      '--runner',
      'reference',
      '--golden',
      at('golden.safetensors'),
      '--svg',
      at('golden.safetensors'),
    ],
  ],
  ['evaluate --svg, symbolic link', () => ['evaluate', model(), at('lines.tsv'), '--svg', at('vocab.svg')]],
  ['evaluate --svg, configuration', () => ['evaluate', model(), at('lines.tsv'), '--svg', model('albert_config.json')]],
  ['evaluate --results', () => ['evaluate', model(), at('lines.tsv'), '--results', model('labels.txt')]],
  ['evaluate --errors', () => ['evaluate', model(), at('lines.tsv'), '--errors', model(CKPT[1])]],
  ['predict -o', () => ['predict', model(), at('lines.tsv'), '-o', model('vocab.txt')]],
  ['predict --errors', () => ['predict', model(), at('lines.tsv'), '--errors', model('labels.txt')]],
  [
    'predict --shard, the text',
    () => ['predict', model(), at('shards/shard-00001-of-00001.jsonl'), '--shard', '1/1', '-o', at('shards')],
  ],
  ['embed -o', () => ['embed', model(), at('lines.tsv'), '-o', model('albert_config.json')]],
  ['embed -o, matrix', () => ['embed', model(), at('lines.tsv'), '--format', 'npy', '-o', model(CKPT[0])]],
  [
    'tokenize -o',
    () => ['tokenize', model('vocab.txt'), at('lines.tsv'), '--to', 'tfrecord', '-o', model('vocab.txt')],
  ],
  ['merge -o', () => ['merge', at('shards'), '-o', at('shards/shard-00001-of-00001.jsonl')]],
  ['init -o', () => ['init', model('albert_config.json'), '-o', model()]],
  ['params --svg', () => ['params', model(), '--svg', model('vocab.txt')]],
  ['weights --png', () => ['weights', model(), '--png', model(CKPT[1])]],
  ['finetune -o', () => ['finetune', model(), '--train', at('lines.tsv'), '--steps', '1', '-o', model()]],
  ['layers --report', () => ['layers', model(), '--report', at('page')]],
  ['layers --svg', () => ['layers', model(), '--svg', at('vocab.svg')]],
  ['weights --report', () => ['weights', model(), '--report', at('page')]],
  ['weights --svg', () => ['weights', model(), '--svg', at('hard.svg')]],
  ['finetune --png, text of the training', () => [...finetune(), '--png', at('lines.tsv')]],
  ['embed --errors, a path with ..', () => ['embed', model(), at('lines.tsv'), '--errors', at('page/../lines.tsv')]],
  ['evaluate --report', () => ['evaluate', model(), at('lines.tsv'), '--report', at('page')]],
  ['params --report', () => ['params', model(), '--report', at('page')]],
]

it.each(cases)(
  '%s',
  async (_, args) => {
    const before = readdirSync(folder)
    const { stderr } = await run([...args(), '--force'])
    expect(stderr).toMatch(/which is read|is the text/)
    expect(readdirSync(folder)).toEqual(before)
  },
  60_000,
)
