import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { initModel } from '../../src/api/init/init.js'
import { madeUpVocabulary } from '../../src/api/init/made-up-vocabulary.js'
import { openModel } from '../../src/api/open/open.js'
import { verifyModel } from '../../src/api/verify/verify.js'
import type { AlbertkitError } from '../../src/base/errors.js'
import { truncatedNormal } from '../../src/model/random/random.js'
import { readAll } from '../../src/formats/core/source.js'
import { albertkit } from '../helpers/run.js'
import { initSchema } from '../../src/schemas/init.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-init-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})
const failure = (promise: Promise<unknown>): Promise<AlbertkitError> =>
  promise.then(
    () => {
      throw new Error('not refused')
    },
    (error: unknown) => error as AlbertkitError,
  )

const SMALL = {
  vocab_size: 300,
  hidden_size: 32,
  num_attention_heads: 4,
  intermediate_size: 48,
  num_hidden_layers: 2,
  max_position_embeddings: 20,
  type_vocab_size: 2,
  hidden_act: 'gelu',
}
const small = (name: string, fields: object): string => {
  const file = join(folder, `${name}.json`)
  writeFileSync(file, JSON.stringify({ ...SMALL, ...fields }))
  return file
}

describe('truncated normal noise', () => {
  it('is the same from any position on, and has the moments of its distribution', () => {
    const fill = truncatedNormal(7, 'a/kernel', 1)
    const whole = new Float32Array(100_000)
    fill(0, whole)
    const part = new Float32Array(1000)
    fill(54_321, part)
    expect(part).toEqual(whole.slice(54_321, 55_321))
    const mean = whole.reduce((a, b) => a + b, 0) / whole.length
    const deviation = Math.sqrt(whole.reduce((a, b) => a + b * b, 0) / whole.length)
    expect(Math.abs(mean)).toBeLessThan(0.01)
    // Cut at two deviations, 0.8796 is left of one.
    expect(deviation).toBeCloseTo(0.8796, 2)
    expect(Math.max(...whole.slice(0, 50_000))).toBeLessThanOrEqual(2)
    const other = new Float32Array(4)
    truncatedNormal(8, 'a/kernel', 1)(0, other)
    expect(other).not.toEqual(whole.slice(0, 4))
  })
})

describe('albertkit init', () => {
  it('makes a preset that verifies, the same bytes every time', async () => {
    const [a, b] = [join(folder, 'a'), join(folder, 'b')]
    const report = await initModel('albert-tiny-zh', a)
    expect([report.ok, report.verified]).toEqual([true, report.tensors])
    await initModel('albert_tiny_zh', b, { verify: false })
    for (const { path } of report.files)
      expect(readFileSync(join(b, path)).equals(readFileSync(join(a, path))), path).toBe(true)
    expect((await initModel('albert-tiny-zh', b, { seed: 1, force: true })).ok).toBe(true)
    const data = 'model.ckpt.data-00000-of-00001'
    expect(readFileSync(join(b, data)).equals(readFileSync(join(a, data)))).toBe(false)
  })

  it.each([
    ['zh', { embedding_size: 16, ln_type: 'preln' }, 'tf', 'classify'],
    ['google', { embedding_size: 16, num_hidden_groups: 2, inner_group_num: 2 }, 'tf', 'pretraining'],
    ['google-hf', { embedding_size: 16, num_hidden_groups: 2 }, 'safetensors', 'multiple-choice'],
    ['same-width', { embedding_size: 32, num_hidden_groups: 1 }, 'safetensors', 'qa'],
    ['bert', {}, 'tf', 'pretraining'],
    ['bert-hf', {}, 'safetensors', 'token-classification'],
    ['hf', { model_type: 'albert', embedding_size: 16 }, 'safetensors', 'features'],
  ] as const)('a configuration of one’s own: %s', async (name, fields, target, task) => {
    const out = join(folder, `out-${name}`)
    expect(
      (await initModel(small(name, fields), out, { target, task, labels: task === 'multiple-choice' ? 1 : 3 })).ok,
    ).toBe(true)
    expect((await verifyModel(out, null, { runners: ['tfjs-cpu'] })).ok).toBe(true)
  })

  it('LayerNorms are ones and zeros, biases zeros, kernels neither', async () => {
    const out = join(folder, 'values')
    await initModel(small('values', { embedding_size: 16 }), out)
    const opened = await openModel(out)
    const values = (name: string): Set<number> => new Set(new Float32Array(readAll(opened.source, name).buffer))
    expect(values('bert/embeddings/LayerNorm/gamma')).toEqual(new Set([1]))
    expect(values('bert/embeddings/LayerNorm/beta')).toEqual(new Set([0]))
    expect(values('bert/pooler/dense/kernel').size).toBeGreaterThan(1000)
    opened.close()
  })

  it('reports the known presets, what transformers lacks, and what exists already', async () => {
    const unknown = await failure(initModel('albert-huge', join(folder, 'never')))
    expect([unknown.exitCode, unknown.hint]).toEqual([2, expect.stringContaining('did you mean albert-base?')])
    const zh = await failure(initModel('albert-tiny-zh', join(folder, 'never'), { target: 'safetensors' }))
    expect(zh.exitCode).toBe(4)
    expect((await failure(initModel('albert-tiny-zh', folder))).exitCode).toBe(5)
  })

  it('prints one document for --json', async () => {
    const out = join(folder, 'cli')
    const { code, stdout } = await albertkit(['init', small('cli', { embedding_size: 16 }), '-o', out, '--json'])
    expect(code).toBe(0)
    expect(initSchema.parse(JSON.parse(stdout))).toMatchObject({ ok: true, family: 'zh', tensors: 31 })
  })
})

describe('a made-up vocabulary', () => {
  it.each([5, 60, 300, 21128, 60000])('of %d tokens has each once, and the special ones', (size) => {
    const tokens = [...madeUpVocabulary(size)]
    expect([tokens.length, new Set(tokens).size]).toEqual([size, size])
    for (const token of ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']) expect(tokens).toContain(token)
  })
})
