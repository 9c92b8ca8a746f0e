import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openModel } from '../../src/api/open/open.js'
import { openSource } from '../../src/api/open/source.js'
import { readAll } from '../../src/formats/core/source.js'
import { writeRandomModel, type Shape } from '../helpers/random-model.js'
import { writeSafetensorsFile } from '../helpers/write-files.js'

/** Models of other architectures under BERT's names, without a part that BERT has, or without a configuration. */

const folder = mkdtempSync(join(tmpdir(), 'albertkit-foreign-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})
let made = 0

const SHAPE: Shape = {
  layers: 2,
  groups: 1,
  inner: 1,
  hidden: 16,
  embedding: 16,
  intermediate: 32,
  sharing: 'all',
  preNorm: false,
  act: 'gelu_erf',
  heads: ['classifier'],
  pooler: true,
}

interface Changes {
  /** New name of a tensor; null drops it. */
  readonly rename?: (name: string) => string | null
  readonly more?: readonly string[]
  readonly hasConfig?: boolean
}

/** A copy of a random BERT of transformers with other names, more tensors, or without its configuration. */
async function changed({ rename = (name) => name, more = [], hasConfig = true }: Changes): Promise<string> {
  const directory = join(folder, `plain-${made}`)
  await writeRandomModel(directory, 'hf bert', SHAPE, 0.2)
  const target = mkdtempSync(join(folder, `${made++}-`))
  const source = await openSource(directory)
  const stored = new Map([...source.tensors.keys()].map((name) => [rename(name), name]))
  stored.delete(null)
  const plans = [...stored].map(([name, from]) => ({ ...source.tensors.get(from)!, name: name! }))
  const added = more.map((name) => ({ name, dtype: 'F32' as const, shape: [16] }))
  writeSafetensorsFile(join(target, 'model.safetensors'), [...plans, ...added], ({ name }, sink) => {
    const from = stored.get(name)
    sink(from === undefined ? new Uint8Array(64) : readAll(source, from))
  })
  source.close()
  for (const name of readdirSync(directory))
    if (name.endsWith('.txt') || (hasConfig && name.endsWith('.json')))
      copyFileSync(join(directory, name), join(target, name))
  return target
}

const without = (pattern: RegExp) => (name: string) => (pattern.test(name) ? null : name)
const scoped = (scope: string) => (name: string) => name.replace(/^bert\b/, scope)

describe('weights without a configuration', () => {
  it.each([
    ['ELECTRA', scoped('electra'), []],
    ['RoBERTa', scoped('roberta'), []],
    ['DeBERTa', scoped('deberta'), []],
    ['ConvBERT', scoped('convbert'), []],
    ['data2vec', scoped('data2vec_text'), []],
    ['ELECTRA', scoped('bert'), ['bert.embeddings_project.weight']],
    ['DeBERTa', scoped('bert'), ['bert.encoder.layer.0.attention.self.in_proj.weight']],
    ['JinaBERT', scoped('bert'), ['bert.encoder.layer.0.mlp.gated_layers.weight']],
    ['MosaicBERT', scoped('bert'), ['bert.encoder.layer.0.attention.self.Wqkv.weight']],
    ['BigBird', (name: string) => name.replace('pooler.dense', 'pooler'), []],
  ])('are called %s before the configuration is missed', async (title, rename, more) => {
    const path = await changed({ rename, more, hasConfig: false })
    await expect(openModel(path)).rejects.toMatchObject({ kind: 'unsupported', code: 'architecture-unsupported' })
    await expect(openModel(path)).rejects.toThrow(title)
  })

  it('of BERT ask for the configuration', async () => {
    await expect(openModel(await changed({ hasConfig: false }))).rejects.toMatchObject({ code: 'config-missing' })
  })
})

it('names the architecture that has such variables', async () => {
  const path = await changed({ more: ['embeddings_project.weight'] })
  await expect(openModel(path)).rejects.toMatchObject({ kind: 'unsupported', code: 'tensor-unknown' })
  await expect(openModel(path)).rejects.toThrow(/embeddings_project.*ELECTRA has such names/)
  const passed = await openModel(path, { ignore: ['embeddings_project*'] })
  passed.close()
})

describe('a model without a part of BERT', () => {
  it.each([
    ['position embeddings', /position_embeddings/],
    ['token type embeddings', /token_type/],
    ['biases in its dense layers', /encoder.*(?<!LayerNorm\.)bias$/],
    ['biases in its LayerNorms', /LayerNorm\.bias$/],
  ])('is no damaged one: %s', async (words, pattern) => {
    const path = await changed({ rename: without(pattern) })
    await expect(openModel(path)).rejects.toMatchObject({ kind: 'unsupported', code: 'architecture-unsupported' })
    await expect(openModel(path)).rejects.toThrow(`the model has no ${words}`)
  })

  it.each([
    ['one bias', /layer\.1\.attention\.self\.query\.bias/],
    ['positions and a bias', /position_embeddings|layer\.1\.attention\.self\.query\.bias/],
    ['half of the pooler', /pooler.*bias/],
  ])('is damaged if more or less is missing: %s', async (_, pattern) => {
    const path = await changed({ rename: without(pattern) })
    await expect(openModel(path)).rejects.toMatchObject({ kind: 'malformed', code: 'tensor-missing' })
  })
})

describe('a head without a bias', () => {
  it('has a bias of zeros, as in transformers', async () => {
    const opened = await openModel(await changed({ rename: without(/^classifier\.bias/) }))
    const { classifier } = opened.model
    const bias = readAll(opened.source, classifier!.bias.variable)
    opened.close()
    expect(classifier!.weight.variable).toBe('classifier.weight')
    expect(new Float32Array(bias.buffer)).toEqual(new Float32Array(classifier!.weight.shape[0]!))
    expect(opened.notes.join()).toContain('classifier.weight has no bias: classifier.bias is taken as zeros')
  })

  it('is taken by its name too', async () => {
    const rename = (name: string) => (name === 'classifier.bias' ? null : name.replace('classifier', 'fc'))
    const path = await changed({ rename })
    const opened = await openModel(path, { head: 'fc' })
    opened.close()
    expect(opened.model.classifier!.bias.variable).toBe('fc.bias')
    expect(opened.notes.join()).toMatch(/fc\.weight is taken as the classifier.*fc\.bias is taken as zeros/)
  })

  it('is refused without its kernel', async () => {
    const path = await changed({ rename: without(/^classifier\.weight/) })
    await expect(openModel(path)).rejects.toMatchObject({ kind: 'malformed', code: 'tensor-missing' })
  })
})
