import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { convertModel } from '../../src/api/convert/convert.js'
import { openSource } from '../../src/api/open/source.js'
import { readAll } from '../../src/formats/core/source.js'
import type { TensorPlan } from '../../src/formats/safetensors/write.js'
import { commandsOf as manifestOf } from '../helpers/manifest.js'
import { albertkit } from '../helpers/run.js'
import { BASE } from '../helpers/sentence-folders.js'
import { writeSafetensorsFile } from '../helpers/write-files.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-leftover-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})
let made = 0
const fresh = (): string => mkdtempSync(join(folder, `${made++}-`))

const LINES = join(folder, 'lines.tsv')
writeFileSync(LINES, '0\ti love the cat\n1\tthe film was bad\n')

// A batch for `finetune --batches`, and its recipe.
const BATCHES = join(folder, 'batches.safetensors')
const RECIPE = join(folder, 'recipe.json')
writeFileSync(RECIPE, JSON.stringify({ init_learning_rate: 0.001, train_steps: 10, num_labels: 2 }))
writeSafetensorsFile(
  BATCHES,
  ['input_ids_0', 'input_mask_0', 'segment_ids_0', 'label_ids_0'].map((name) => ({
    name,
    dtype: 'I32',
    shape: name === 'label_ids_0' ? [2] : [2, 4],
  })),
  ({ name, shape }, sink) => {
    const size = shape.reduce((n, d) => n * d, 1)
    sink(new Uint8Array(new Int32Array(size).fill(name === 'segment_ids_0' ? 0 : 1).buffer))
  },
)

const variable = (name: string, shape: readonly number[] = [16, 3]): TensorPlan => ({ name, dtype: 'F32', shape })

/** A BERT with every head and a vocabulary, and one variable more. */
async function complete(name: string): Promise<string> {
  const source = await openSource(BASE)
  const own = [...source.tensors.values()].map(({ dtype, shape, ...info }) => ({
    ...info,
    name: `bert.${info.name}`,
    dtype,
    shape,
  }))
  const heads = [
    variable('classifier.weight', [2, 16]),
    variable('classifier.bias', [2]),
    variable('cls.predictions.bias', [83]),
    variable('cls.predictions.transform.dense.weight', [16, 16]),
    variable('cls.predictions.transform.dense.bias', [16]),
    variable('cls.predictions.transform.LayerNorm.weight', [16]),
    variable('cls.predictions.transform.LayerNorm.bias', [16]),
    variable('cls.seq_relationship.weight', [2, 16]),
    variable('cls.seq_relationship.bias', [2]),
  ]
  const target = fresh()
  cpSync(BASE, target, { recursive: true })
  writeSafetensorsFile(
    join(target, 'model.safetensors'),
    [...own, ...heads, variable(name)],
    ({ name: one, shape }, sink) => {
      const stored = one.replace(/^bert\./, '')
      const size = shape.reduce((n, d) => n * d, 1)
      sink(
        source.tensors.has(stored)
          ? readAll(source, stored)
          : new Uint8Array(Float32Array.from({ length: size }, (_, i) => Math.sin(i + one.length)).buffer),
      )
    },
  )
  source.close()
  return target
}

const GRID = join(folder, 'grid.json')
writeFileSync(GRID, '{"learningRate": [0.001]}')

/** Each way to train a model. */
function trainings(model: string): string[][] {
  const train = ['finetune', model, '--train', LINES, '--steps', '1', '--max-seq-length', '8']
  return [
    [...train, '--force', '-o', join(fresh(), 'trained')],
    [...train, '--dev', LINES, '--sweep', GRID, '--force', '-o', join(fresh(), 'sweep')],
    ['finetune', model, '--force', '--export-graph', join(fresh(), 'graph')],
    ['finetune', model, '--batches', BATCHES, '--recipe', RECIPE, '--steps', '1'],
  ]
}

/** A configuration for `build`. */
function configOf(model: string): string {
  const directory = fresh()
  const path = join(directory, 'albertkit.config.json')
  const one = { source: model, output: join(directory, 'out'), targets: ['onnx'], verify: false }
  writeFileSync(path, JSON.stringify({ models: { one } }))
  return path
}

/** Every command that runs a model or says what it is, and its arguments. */
const commandsOf = (model: string): string[][] => [
  ['convert', model, '--to', 'onnx', '--no-verify', '--force', '-o', join(fresh(), 'out')],
  ['verify', model],
  ['predict', model, LINES],
  ['evaluate', model, LINES],
  ['embed', model, LINES],
  ['embed', model, '--text', 'a cat', '--text', 'the dog'],
  ['fill-mask', model, 'a [MASK]'],
  ['sentence-order', model, 'a cat', 'the dog'],
  ['layers', model],
  ['weights', model],
  ['params', model],
  ['diff', model, model],
  ['bench', model, '--runs', '1', '--batch', '1', '--length', '8'],
  ['build', '--force', '--config-file', configOf(model)],
  ...trainings(model),
]

describe('every command', () => {
  it('is tried here, but for those that read no model or only its vocabulary', () => {
    const tried = new Set([...commandsOf('').map(([name]) => name), 'inspect'])
    // `check` reads the manifest of a converted model: below. `serve` opens no model: its page does.
    const queue = ['queue:status', 'queue:submit', 'queue:work']
    const others = ['check', 'completion', 'doctor', 'init', 'merge', 'serve', 'tokenize', ...queue]
    expect(Object.keys(manifestOf('standalone')).sort()).toEqual([...tried, ...others].sort())
  })

  it('refuses an adapter by its name', async () => {
    const name = 'bert.encoder.layer.0.output.adapters.weights1'
    const changed = await complete(name)
    for (const args of commandsOf(changed)) {
      const { code, stdout, stderr } = await albertkit(args)
      expect([args[0], code]).toEqual([args[0], 4])
      expect(stdout + stderr).toContain(name)
      const json = await albertkit([...args, '--json'])
      expect([args[0], json.code]).toEqual([args[0], 4])
      expect(json.stdout).toContain(name)
    }
    const inspected = await albertkit(['inspect', changed])
    expect([inspected.code, inspected.stdout]).toEqual([0, expect.stringContaining(name)])
  })

  it('notes a variable outside the encoder', async () => {
    const name = 'crf.transitions'
    const changed = await complete(name)
    // `bench` measures what was converted.
    const out = join(fresh(), 'out')
    await convertModel(changed, out, { targets: ['onnx'], verify: false })
    cpSync(join(out, 'onnx'), join(changed, 'onnx'), { recursive: true })
    for (const args of [...commandsOf(changed), ['inspect', changed]]) {
      const { code, stdout, stderr } = await albertkit(args)
      expect([args[0], code]).toEqual([args[0], 0])
      expect(`${args.join(' ')}: ${stdout}${stderr}`).toContain(name)
      const json = await albertkit([...args, '--json'])
      expect(`${args.join(' ')}: ${json.stdout}${json.stderr}`).toContain(name)
    }
  })

  it.each([
    ['crf.transitions', [], 'crf.transitions'],
    ['bert.encoder.layer.0.output.adapters.weights1', ['--ignore', '*adapters*'], '*adapters*'],
  ])('tells what was left out of a converted model: %s', async (name, asked, told) => {
    const changed = await complete(name)
    const out = join(fresh(), 'out')
    for (const target of ['onnx', 'safetensors']) {
      const converted = await albertkit([
        'convert',
        changed,
        '--to',
        target,
        '--no-verify',
        '--force',
        ...asked,
        '-o',
        out,
      ])
      expect([target, converted.code]).toEqual([target, 0])
    }
    for (const args of [
      ['check', out],
      ['inspect', join(out, 'model.safetensors')],
      ['predict', out, LINES],
    ]) {
      const { code, stdout, stderr } = await albertkit(args)
      expect([args[0], code]).toEqual([args[0], 0])
      expect(`${args[0]}: ${stdout}${stderr}`).toContain('when the model was converted: ')
      expect(`${args[0]}: ${stdout}${stderr}`).toContain(told)
      const json = await albertkit([...args, '--json'])
      expect(`${args[0]}: ${json.stdout}${json.stderr}`).toContain(told)
    }
  })
})
