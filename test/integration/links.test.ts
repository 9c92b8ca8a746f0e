import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { convertModel } from '../../src/api/convert/convert.js'
import { initModel } from '../../src/api/init/init.js'
import { modelTokenizer } from '../../src/api/open/tokenizer.js'
import { openModel } from '../../src/api/open/open.js'
import { openSource } from '../../src/api/open/source.js'
import { albertkit } from '../helpers/run.js'

/** Links and pipes in the folder of a model: what leads out of it is not read. */

const root = mkdtempSync(join(tmpdir(), 'albertkit-links-'))
const model = join(root, 'model')
const secret = join(root, 'secret.txt')
const VOCABULARY = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...Array.from({ length: 40 }, (_, i) => `w${i}`)]
const CONFIG = {
  model_type: 'albert',
  embedding_size: 4,
  hidden_size: 8,
  intermediate_size: 16,
  num_attention_heads: 2,
  num_hidden_layers: 2,
  num_hidden_groups: 1,
  inner_group_num: 1,
  max_position_embeddings: 16,
  type_vocab_size: 2,
  vocab_size: VOCABULARY.length,
  hidden_act: 'gelu_new',
}

beforeAll(async () => {
  writeFileSync(secret, 'secret\n')
  const config = join(root, 'config.json')
  writeFileSync(config, JSON.stringify(CONFIG))
  await initModel(config, model, { task: 'classify' })
  writeFileSync(join(model, 'vocab.txt'), `${VOCABULARY.join('\n')}\n`)
})
afterAll(() => {
  rmSync(root, { recursive: true, force: true })
})

let count = 0
/** A copy of the model. */
function copied(): string {
  const to = join(root, `copy${String(++count)}`)
  cpSync(model, to, { recursive: true })
  return to
}

/** A copy whose files `names` are links to where they were moved. */
function linked(to: string, ...names: readonly string[]): string {
  const folder = copied()
  mkdirSync(join(root, to), { recursive: true })
  for (const name of names) {
    const moved = join(root, to, `${String(count)}-${name}`)
    renameSync(join(folder, name), moved)
    symlinkSync(moved, join(folder, name))
  }
  return folder
}

const escapes = expect.objectContaining({ code: 'path-escapes', kind: 'malformed' }) as Error

describe('links', () => {
  it('of the cache of Hugging Face are followed', async () => {
    const repository = join(root, 'models--org--name')
    const snapshot = join(repository, 'snapshots/0123abc')
    cpSync(model, snapshot, { recursive: true })
    mkdirSync(join(repository, 'blobs'))
    for (const name of readdirSync(snapshot)) {
      renameSync(join(snapshot, name), join(repository, 'blobs', `sha-${name}`))
      symlinkSync(`../../blobs/sha-${name}`, join(snapshot, name))
    }
    using opened = await openModel(snapshot)
    expect(modelTokenizer(opened).size).toBe(VOCABULARY.length)
    await convertModel(snapshot, join(root, 'from-cache'), { targets: ['onnx'], verify: false })
    expect(readFileSync(join(root, 'from-cache/vocab.txt'), 'utf8')).toContain('w39')
  })

  it.each([
    ...['config.json', 'model.safetensors', 'model.safetensors.index.json', 'vocab.txt', 'tokenizer.json'],
    ...['tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json', 'labels.txt'],
  ])('that lead nowhere are not taken for absent: %s', async (name) => {
    // A snapshot of the cache that was copied without its blobs, and a circle.
    for (const target of [`../../blobs/${name}`, name]) {
      const folder = copied()
      rmSync(join(folder, name), { force: true })
      symlinkSync(target, join(folder, name))
      const file = join(folder, name)
      await expect(convertModel(folder, `${folder}-out`, { targets: ['onnx'], verify: false })).rejects.toMatchObject({
        code: 'file-missing',
        message: 'the file is a link that leads to no file',
        place: { file },
      })
      expect(existsSync(`${folder}-out`)).toBe(false)
    }
  })

  it('that lead nowhere are the same as absent data of a bundle whose index alone is read', async () => {
    const folder = join(root, 'annexed')
    await convertModel(model, folder, { targets: ['tf'], verify: false })
    const data = readdirSync(join(folder, 'tf')).find((name) => name.includes('.data-'))!
    rmSync(join(folder, 'tf', data))
    symlinkSync('../../.git/annex/objects/x', join(folder, 'tf', data))
    const prefix = join(folder, 'tf/model.ckpt')
    const source = await openSource(prefix, { allowMissingData: true })
    expect(source.missingFiles).toEqual([expect.stringContaining(data)])
    source.close()
    await expect(openSource(prefix)).rejects.toThrow('a data file of the checkpoint is missing')
  })

  it('of a vocabulary that the user names, and that leads nowhere, are an error', async () => {
    const vocabulary = join(root, 'words.txt')
    symlinkSync('nowhere.txt', vocabulary)
    const converting = convertModel(model, join(root, 'no-words'), { targets: ['onnx'], verify: false, vocabulary })
    await expect(converting).rejects.toMatchObject({ code: 'file-missing', place: { file: vocabulary } })
  })

  it('within the folder of the model are followed', async () => {
    const folder = copied()
    renameSync(join(folder, 'vocab.txt'), join(folder, 'words'))
    symlinkSync('words', join(folder, 'vocab.txt'))
    using opened = await openModel(folder)
    expect(modelTokenizer(opened).size).toBe(VOCABULARY.length)
  })

  it('of the weights out of the folder are refused, unless the user names them', async () => {
    const folder = linked('elsewhere', 'model.safetensors')
    await expect(openModel(folder)).rejects.toThrow(escapes)
    ;(await openModel(join(folder, 'model.safetensors'))).close()
    const whole = join(root, 'link-to-folder')
    symlinkSync(model, whole)
    ;(await openModel(whole)).close()
  })

  it.each(['data', 'index'])('of the %s of a bundle out of the folder are refused', async (part) => {
    const folder = join(root, `bundle-${part}`)
    await convertModel(model, folder, { targets: ['tf'], verify: false })
    const inner = join(folder, 'tf')
    const name = readdirSync(inner).find((file) => file.includes(`.ckpt.${part}`))!
    renameSync(join(inner, name), join(root, name))
    symlinkSync(join(root, name), join(inner, name))
    for (const path of [folder, inner, join(inner, 'model.ckpt')])
      await expect(openModel(path), path).rejects.toThrow(escapes)
    // As the Hugging Face cache has them.
    const repository = join(root, `models--tf--${part}`)
    mkdirSync(join(repository, 'snapshots'), { recursive: true })
    mkdirSync(join(repository, 'blobs'))
    renameSync(folder, join(repository, 'snapshots/0123abc'))
    rmSync(join(repository, 'snapshots/0123abc/tf', name))
    renameSync(join(root, name), join(repository, 'blobs', name))
    symlinkSync(`../../../blobs/${name}`, join(repository, 'snapshots/0123abc/tf', name))
    ;(await openModel(join(repository, 'snapshots/0123abc'))).close()
    ;(await openModel(join(repository, 'snapshots/0123abc/tf/model.ckpt'))).close()
  })

  it.each(['pytorch_model.bin', 'model.h5', 'frozen_graph.pb', 'model.zip'])(
    'of %s out of the folder are refused before they are read',
    async (name) => {
      const folder = copied()
      rmSync(join(folder, 'model.safetensors'))
      symlinkSync(secret, join(folder, name))
      await expect(openModel(folder)).rejects.toThrow(escapes)
    },
  )

  it('of a configuration out of the folder are refused, unless the user names it', async () => {
    const folder = linked('elsewhere', 'config.json')
    await expect(openModel(folder)).rejects.toThrow(escapes)
    ;(await openModel(folder, { config: join(folder, 'config.json') })).close()
  })

  it('of a vocabulary out of the folder are neither read nor copied', async () => {
    const folder = copied()
    rmSync(join(folder, 'vocab.txt'))
    symlinkSync(secret, join(folder, 'vocab.txt'))
    using opened = await openModel(folder)
    expect(() => modelTokenizer(opened)).toThrow(escapes)
    const out = join(root, 'no-secret')
    await expect(convertModel(folder, out, { targets: ['onnx'], verify: false })).rejects.toThrow(escapes)
    const outputs = readdirSync(root).includes('no-secret') ? readdirSync(out) : []
    expect(outputs).not.toContain('vocab.txt')
  })

  it.each(['added_tokens.json', 'special_tokens_map.json', 'tokenizer_config.json', 'labels.txt'])(
    '%s out of the folder is refused',
    async (name) => {
      const folder = copied()
      rmSync(join(folder, name), { force: true })
      symlinkSync(secret, join(folder, name))
      const result = await albertkit([
        'convert',
        folder,
        '--to',
        'onnx',
        '--no-verify',
        '-o',
        join(root, `out-${name}`),
      ])
      expect(result.stdout + result.stderr).toContain('leaves the folder')
      expect(result.code).toBe(3)
    },
  )

  it('of a shard, or of external data of ONNX, out of the folder are refused', async () => {
    const folder = copied()
    const map = Object.fromEntries(
      [...(await openSource(folder)).tensors.keys()].map((name) => [name, 'shard.safetensors']),
    )
    writeFileSync(join(folder, 'model.safetensors.index.json'), JSON.stringify({ weight_map: map }))
    renameSync(join(folder, 'model.safetensors'), join(root, 'shard.safetensors'))
    symlinkSync(join(root, 'shard.safetensors'), join(folder, 'shard.safetensors'))
    await expect(openModel(folder)).rejects.toThrow(escapes)
    const out = join(root, 'external')
    await convertModel(model, out, { targets: ['onnx'], verify: false, externalData: true })
    const data = readdirSync(join(out, 'onnx')).find((name) => name !== 'model.onnx')!
    renameSync(join(out, 'onnx', data), join(root, data))
    symlinkSync(join(root, data), join(out, 'onnx', data))
    await expect(openModel(out)).rejects.toThrow(escapes)
  })
})

describe('pipes', () => {
  it.each([
    'config.json',
    'vocab.txt',
    'labels.txt',
    'added_tokens.json',
    'special_tokens_map.json',
    'tokenizer_config.json',
    'tokenizer.json',
    'spiece.model',
    'adapter_config.json',
    'modules.json',
    'albertkit.json',
    'model.safetensors.index.json',
  ])('in the place of %s are not waited for', { timeout: 20_000 }, async (name) => {
    const folder = copied()
    rmSync(join(folder, name), { force: true })
    execFileSync('mkfifo', [join(folder, name)])
    const out = join(root, `pipe-${name}`)
    for (const args of [
      ['inspect', folder],
      ['tokenize', folder, join(model, 'vocab.txt')],
      ['convert', folder, '--to', 'onnx', '--no-verify', '-o', out],
    ]) {
      const { code, stderr } = await albertkit(args, { timeout: 15_000 })
      expect([0, 2, 3, 4], `${args[0]}: ${stderr}`).toContain(code)
    }
    // An output directory in which one of them is a pipe.
    mkdirSync(out, { recursive: true })
    rmSync(join(out, name), { force: true })
    execFileSync('mkfifo', [join(out, name)])
    const { code } = await albertkit(['convert', model, '--to', 'onnx', '--no-verify', '--force', '-o', out], {
      timeout: 15_000,
    })
    expect([0, 5], 'over a pipe').toContain(code)
  })
})
