import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { convertModel } from '../../../src/api/convert/convert.js'
import { initModel } from '../../../src/api/init/init.js'
import { temporary } from '../../helpers/faults.js'
import { writeTinyConfig } from '../../helpers/tiny-files.js'

// What is copied beside an artefact is never the file of somebody else that a link of the model leads to.

let place: ReturnType<typeof temporary>
const at = (name: string): string => place.at(name)
const SECRET = '{"secret": "root:x:0:0"}'
beforeEach(async () => {
  place = temporary()
  writeTinyConfig(at('config.json'))
  await initModel(at('config.json'), at('model'), { target: 'safetensors', verify: false })
  writeFileSync(at('secret'), SECRET)
})
afterEach(() => {
  place.remove()
})
const convert = (path: string) => convertModel(path, at('out'), { targets: ['onnx'], verify: false })

const copied = (): string =>
  readdirSync(at('out'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('')

describe('a file of the model that is a link out of its folder', () => {
  it.each([
    'vocab.txt',
    'tokenizer.json',
    'tokenizer_config.json',
    'special_tokens_map.json',
    'added_tokens.json',
    'labels.txt',
    'config.json',
  ])('is not copied: %s', async (name) => {
    rmSync(join(at('model'), name), { force: true })
    symlinkSync('../secret', join(at('model'), name))
    const error: unknown = await convert(at('model')).catch((e: unknown) => e)
    if (existsSync(at('out'))) expect(copied()).not.toContain('root:x')
    else expect(error).toMatchObject({ code: 'path-escapes', kind: 'malformed' })
  })

  it('is not copied of modules, in the folder above the transformer either', async () => {
    mkdirSync(at('sentences/1_Pooling'), { recursive: true })
    renameSync(at('model'), at('sentences/0_Transformer'))
    const modules = ['0_Transformer', '1_Pooling'].map((path, idx) => ({
      ...{ idx, name: String(idx), path },
      type: `sentence_transformers.models.${idx === 0 ? 'Transformer' : 'Pooling'}`,
    }))
    writeFileSync(at('sentences/modules.json'), JSON.stringify(modules))
    symlinkSync('../../secret', at('sentences/1_Pooling/config.json'))
    for (const path of ['sentences', 'sentences/0_Transformer'])
      await expect(convert(at(path)), path).rejects.toMatchObject({ code: 'path-escapes' })
    expect(existsSync(at('out'))).toBe(false)
  })
})

it('the cache of Hugging Face, which is made of links, is converted', async () => {
  const snapshot = at('models--x/snapshots/abc')
  mkdirSync(at('models--x/blobs'), { recursive: true })
  mkdirSync(snapshot, { recursive: true })
  for (const name of readdirSync(at('model'))) {
    renameSync(join(at('model'), name), join(at('models--x/blobs'), `blob-${name}`))
    symlinkSync(`../../blobs/blob-${name}`, join(snapshot, name))
  }
  expect(await convert(snapshot)).toMatchObject({ ok: true })
  expect(existsSync(at('out/vocab.txt'))).toBe(true)
  // And no output goes to where its links lead.
  const again = convertModel(snapshot, dirname(join(snapshot, 'x')), { targets: ['onnx'], verify: false, force: true })
  await expect(again).rejects.toMatchObject({ code: 'output-is-input' })
})
