import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { convertModel } from '../../src/api/convert/convert.js'
import { openModel, type OpenModelOptions } from '../../src/api/open/open.js'
import { openSource } from '../../src/api/open/source.js'
import { readAll } from '../../src/formats/core/source.js'
import { limitError } from '../../src/formats/core/limits.js'
import { flattenStateDict } from '../../src/formats/torch/flatten.js'
import { TorchTensor } from '../../src/formats/torch/globals.js'
import { PickleDict, type PickleValue } from '../../src/formats/pickle/values.js'
import { loadTokenizer } from '../../src/api/tokenize/load-tokenizer.js'
import { BASE } from '../helpers/sentence-folders.js'
import { writeSafetensorsFile } from '../helpers/write-files.js'

/** Copies of a model, adapters and odd side files that lie beside a model: read on request, named, or refused. */

const folder = mkdtempSync(join(tmpdir(), 'albertkit-beside-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})
let made = 0

/** The model of the helper with other names; what `names` gives for a variable is written for each of them. */
async function renamedModel(
  names: (name: string) => readonly string[],
  extra: readonly string[] = [],
): Promise<string> {
  const target = join(folder, String(made++))
  cpSync(BASE, target, { recursive: true })
  const source = await openSource(BASE)
  const plans = [...source.tensors.values()].flatMap(({ name, dtype, shape }) =>
    names(name).map((as) => ({ name: as, of: name, dtype, shape })),
  )
  const more = extra.map((name) => ({
    name,
    of: '',
    dtype: 'F32' as const,
    shape: [name.endsWith('bias') ? 3 : 3, 16],
  }))
  const all = [...plans, ...more.map((plan) => (plan.name.endsWith('bias') ? { ...plan, shape: [3] } : plan))]
  const ofName = new Map(all.map((plan) => [plan.name, plan.of]))
  writeSafetensorsFile(join(target, 'model.safetensors'), all, ({ name, shape }, sink) => {
    const of = ofName.get(name)!
    const size = shape.reduce((n, d) => n * d, 1)
    // Copies are told from the originals by their values.
    const bytes = of === '' ? new Uint8Array(new Float32Array(size).fill(1).buffer) : readAll(source, of)
    sink(/ema|shadow|student/.test(name) ? new Uint8Array(new Float32Array(size).fill(0.25).buffer) : bytes)
  })
  source.close()
  return target
}

async function notesOf(path: string, options: OpenModelOptions = {}): Promise<string> {
  const opened = await openModel(path, options)
  opened.close()
  return opened.notes.join('\n')
}

/** First value of the word embeddings that a model computes with. */
async function firstValue(path: string, options: OpenModelOptions): Promise<number> {
  const opened = await openModel(path, options)
  const name = [...opened.source.tensors.keys()].find((one) => one.endsWith('word_embeddings.weight'))!
  const [value] = new Float32Array(readAll(opened.source, name).buffer)
  opened.close()
  return value!
}

describe('moving averages', () => {
  it.each([
    ['ema.', (name: string) => [`bert.${name}`, `ema.bert.${name}`]],
    ['shadow.', (name: string) => [`bert.${name}`, `shadow.bert.${name}`]],
    ['ema_model.module. beside model.', (name: string) => [`model.bert.${name}`, `ema_model.module.bert.${name}`]],
    ['_ema', (name: string) => [`bert.${name}`, `bert.${name}_ema`]],
  ])('named %s are told, and read with `ema`', async (_, names) => {
    const path = await renamedModel(names)
    expect(await notesOf(path)).toMatch(/the file also has \d+ exponential moving averages/)
    expect(await firstValue(path, {})).not.toBe(0.25)
    expect(await firstValue(path, { ema: true })).toBe(0.25)
  })

  it('of a dict beside the weights have names of their own; other parts have their key before them', () => {
    const tensor = Object.create(TorchTensor.prototype) as TorchTensor
    const dict = (fields: Readonly<Record<string, PickleValue>>): PickleDict => {
      const own = new PickleDict()
      for (const [key, value] of Object.entries(fields)) own.entries.set(key, value)
      return own
    }
    const weights = dict({ 'bert.a': tensor, 'bert.b': tensor })
    const namesIn = (fields: Readonly<Record<string, PickleValue>>): string[] => [
      ...flattenStateDict(dict(fields), limitError('file'))!.tensors.keys(),
    ]
    const copies = ['bert.a', 'bert.b', 'ema_model.bert.a', 'ema_model.bert.b']
    expect(namesIn({ state_dict: weights, state_dict_ema: weights, epoch: 3 })).toEqual(copies)
    expect(namesIn({ model: weights, ema: dict({ decay: 1, shadow: weights }) })).toEqual(copies)
    expect(namesIn({ model: weights, model_ema: dict({ 'module.bert.a': tensor }) })).toEqual(copies.slice(0, 3))
    expect(namesIn({ model: weights, head: dict({ weight: tensor }), optimizer: dict({ 'bert.a': tensor }) })).toEqual([
      'bert.a',
      'bert.b',
      'head.weight',
    ])
  })
})

it('of several models in a file the error names the way to choose one', async () => {
  const path = await renamedModel((name) => [`teacher.bert.${name}`, `student.bert.${name}`])
  await expect(openModel(path)).rejects.toMatchObject({ kind: 'unsupported', code: 'choice-ambiguous' })
  await expect(openModel(path)).rejects.toMatchObject({
    hint: expect.stringMatching(/`scope` student or `scope` teacher|`scope` teacher or `scope` student/) as unknown,
  })
  expect(await firstValue(path, { scope: 'student' })).toBe(0.25)
})

describe('a head', () => {
  it('is found without the wrapper that the whole model is in', async () => {
    const path = await renamedModel((name) => [`module.bert.${name}`], ['module.fc.weight', 'module.fc.bias'])
    for (const head of ['fc', 'module.fc', 'fc.weight']) {
      const opened = await openModel(path, { head })
      opened.close()
      expect(opened.model.classifier?.weight.shape).toEqual([3, 16])
    }
  })

  it('of another width is refused with the shapes of all its parts', async () => {
    const path = await renamedModel((name) => [`bert.${name}`], ['fc.bias'])
    await expect(openModel(path, { head: 'fc' })).rejects.toThrow('fc.bias [3]')
  })
})

describe('beside the weights', () => {
  const beside = (files: Readonly<Record<string, string>>): string => {
    const target = join(folder, String(made++))
    cpSync(BASE, target, { recursive: true })
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(target, name, '..'), { recursive: true })
      writeFileSync(join(target, name), text)
    }
    return target
  }
  const LFS = 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n'
  const HTML = '<!DOCTYPE html>\n<html><body>Not Found</body></html>\n'

  it('an adapter without its configuration is refused, one in a folder of its own noted', async () => {
    const bare = beside({ 'adapter_model.safetensors': 'x' })
    await expect(openModel(bare)).rejects.toMatchObject({ kind: 'unsupported' })
    await expect(openModel(bare)).rejects.toThrow('adapter_model.safetensors')
    await notesOf(bare, { ignore: ['adapter_model.safetensors'] })
    expect(await notesOf(beside({ 'sst2/adapter_config.json': '{}' }))).toContain('not read: sst2')
  })

  it.each([
    ['Git LFS', LFS],
    ['HTML', HTML],
  ])('files of a tokenizer, an adapter or modules that are %s are called that', async (words, text) => {
    for (const name of ['vocab.txt', 'tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json']) {
      const path = beside({ [name]: text })
      expect(() => loadTokenizer(path), name).toThrow(words)
      await expect(
        convertModel(path, join(folder, String(made++)), { targets: ['safetensors'], verify: false }),
      ).rejects.toThrow(words)
    }
    await expect(openModel(beside({ 'adapter_config.json': text }))).rejects.toThrow(words)
    expect(await notesOf(beside({ 'modules.json': text }))).toContain(words)
  })

  it('a configuration of another architecture is what the error is about, whatever the names', async () => {
    const named = await renamedModel((name) => [`bert.${name}`, `bert.${name}_global`])
    writeFileSync(join(named, 'config.json'), JSON.stringify({ model_type: 'longformer' }))
    await expect(openModel(named)).rejects.toThrow('Longformer')
    const strange = await renamedModel((name) => [`x${name.replaceAll('.', '_')}`])
    writeFileSync(join(strange, 'config.json'), JSON.stringify({ model_type: 'xlm' }))
    await expect(openModel(strange)).rejects.toThrow('XLM')
  })
})
