import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { convertModel } from '../../src/api/convert/convert.js'
import { initModel } from '../../src/api/init/init.js'
import { openModel } from '../../src/api/open/open.js'

/** A classifier of one class: a regression in Google's code (STS-B), a sigmoid in transformers; converting keeps it. */

let folder: string
const at = (name: string): string => join(folder, name)
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'albertkit-one-class-'))
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

const SIZES = { vocab_size: 300, hidden_size: 16, num_attention_heads: 2, intermediate_size: 32, type_vocab_size: 2 }
const BERT = { ...SIZES, num_hidden_layers: 1, max_position_embeddings: 16, hidden_act: 'gelu' }

async function problemOf(path: string): Promise<string | undefined> {
  using opened = await openModel(path)
  return opened.config.problem_type
}

it.each([
  ['tf', {}, 'regression'],
  ['safetensors', { model_type: 'bert' }, 'multi_label_classification'],
] as const)('%s', async (target, fields, problem) => {
  const config = at(`${target}.json`)
  writeFileSync(config, JSON.stringify({ ...BERT, ...fields }))
  await initModel(config, at(target), { task: 'classify', labels: 1, target })
  expect(await problemOf(at(target))).toBe(problem)
  const out = at(`${target}-out`)
  await convertModel(at(target), out, { targets: ['onnx', 'tf', 'safetensors'], verify: false })
  for (const path of [out, join(out, 'onnx/model.onnx'), join(out, 'tf')]) expect(await problemOf(path)).toBe(problem)
})
