import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openSource } from '../../../src/api/open/source.js'
import { readAll } from '../../../src/formats/core/source.js'
import { describeShared, SHARED } from '../../helpers/shared.js'

/** Containers of TensorFlow other than the plain V2 checkpoint: the same weights, bit for bit. */

const tf = (name: string): string => join(SHARED, 'tf', name)
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

interface Variable {
  readonly sha256: string
  readonly shape: readonly number[]
}

/** What the variables of a fixture are: its own list, or that of the fixture whose weights it has. */
function variablesOf(name: string): Record<string, Variable> {
  const own = join(tf(name), 'variables.json')
  const { same_weights_as: other } = JSON.parse(readFileSync(join(tf(name), 'fixture.json'), 'utf8')) as {
    same_weights_as: string
  }
  const file = existsSync(own) ? own : join(tf(other), 'variables.json')
  const all = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Variable>
  return Object.fromEntries(Object.entries(all).filter(([key]) => !/\/(adam|lamb)_[mv]$|^global_step$/.test(key)))
}

describeShared('the bytes of every variable', () => {
  const paths: readonly (readonly [fixture: string, path: string, format: string])[] = [
    ['fmt_v1', 'fmt_v1', 'tf-v1'],
    ['fmt_v1', 'fmt_v1/model.ckpt', 'tf-v1'],
    ['fmt_v1_sharded', 'fmt_v1_sharded', 'tf-v1'],
    ['fmt_v1_sharded', 'fmt_v1_sharded/model.ckpt', 'tf-v1'],
    ['fmt_v1_sharded', 'fmt_v1_sharded/model.ckpt-?????-of-00003', 'tf-v1'],
    ['fmt_v1_sharded', 'fmt_v1_sharded/model.ckpt-00001-of-00003', 'tf-v1'],
    ['fmt_savedmodel_tf1', 'fmt_savedmodel_tf1', 'saved-model'],
    ['fmt_savedmodel_tf1', 'fmt_savedmodel_tf1/saved_model/saved_model.pb', 'saved-model'],
    ['fmt_savedmodel_tf1', 'fmt_savedmodel_tf1/saved_model/variables/variables', 'tf-bundle'],
    ['fmt_tf2_savedmodel', 'fmt_tf2_savedmodel', 'saved-model'],
    ['fmt_tf2_objects', 'fmt_tf2_objects/listed.ckpt', 'tf-bundle'],
    ['fmt_tf2_objects', 'fmt_tf2_objects/nested.ckpt.index', 'tf-bundle'],
    ['fmt_tfhub_module', 'fmt_tfhub_module', 'saved-model'],
    ['fmt_tfhub_module', 'fmt_tfhub_module/module', 'saved-model'],
    ['fmt_tfhub_scoped', 'fmt_tfhub_scoped', 'tf-bundle'],
    ['fmt_frozen', 'fmt_frozen', 'graph-def'],
    ['fmt_frozen', 'fmt_frozen/frozen_model.pb', 'graph-def'],
    ['google_3d_kernels', 'google_3d_kernels', 'tf-bundle'],
  ]
  it.each(paths)('%s by %s', async (fixture, path, format) => {
    const source = await openSource(tf(path))
    expect(source.format).toBe(format)
    const variables = Object.entries(variablesOf(fixture))
    expect(variables.length).toBeGreaterThan(20)
    for (const [name, { sha256: expected, shape }] of variables) {
      expect(source.tensors.get(name)?.shape, name).toEqual(shape)
      expect(sha256(readAll(source, name)), name).toBe(expected)
    }
    source.close()
  })

  const ranged = ['fmt_v1', 'fmt_v1_sharded', 'fmt_frozen', 'fmt_partitioned_sharded', 'damaged/big_endian'] as const
  it.each(ranged)('any range of a tensor of %s is that part of the whole', async (name) => {
    const source = await openSource(tf(name))
    const tensor = [...source.tensors.keys()].find((key) => key.endsWith('word_embeddings')) ?? ''
    const whole = readAll(source, tensor)
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(3000), (start, length) => {
        const target = new Uint8Array(Math.min(length, whole.length - start))
        source.read(tensor, start, target)
        return Buffer.compare(target, whole.subarray(start, start + target.length)) === 0
      }),
    )
    source.close()
  })
})

describe('a V1 checkpoint that TensorFlow wrote, of every element type and with slices along the second axis', () => {
  const fixture = (name: string): string => fileURLToPath(new URL(`../../fixtures/formats/${name}`, import.meta.url))
  const variables = JSON.parse(readFileSync(fixture('dtypes-v1.json'), 'utf8')) as Record<
    string,
    { shape: number[]; sha256: string | null }
  >

  it('has the bytes that TensorFlow reads', async () => {
    const source = await openSource(fixture('dtypes-v1.ckpt'))
    expect([...source.tensors.keys()].sort()).toEqual(Object.keys(variables).sort())
    for (const [name, { shape, sha256: expected }] of Object.entries(variables)) {
      expect(source.tensors.get(name)?.shape, name).toEqual(shape)
      if (expected === null) expect(source.tensors.get(name)?.dtype).toBe('STRING')
      else expect(sha256(readAll(source, name)), name).toBe(expected)
    }
    source.close()
  })

  it.each(['half', 'part', 'int64', 'big_half'])('any range of %s is that part of the whole', async (name) => {
    const source = await openSource(fixture('dtypes-v1.ckpt'))
    const whole = readAll(source, name)
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(300), (start, length) => {
        const target = new Uint8Array(Math.min(length, whole.length - start))
        source.read(name, start, target)
        return Buffer.compare(target, whole.subarray(start, start + target.length)) === 0
      }),
    )
    source.close()
  })

  it('any flipped bit gives the same tensors or a typed error', async () => {
    const whole = readFileSync(fixture('dtypes-v1.ckpt'))
    const folder = mkdtempSync(join(tmpdir(), 'albertkit-v1-'))
    const file = join(folder, 'model.ckpt')
    try {
      await fc.assert(
        fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(7), async (at, bit) => {
          const damaged = Buffer.from(whole)
          damaged[at]! ^= 1 << bit
          writeFileSync(file, damaged)
          const wrong: string[] = []
          try {
            const source = await openSource(file)
            for (const { name, dtype } of source.tensors.values()) {
              const expected = variables[name]?.sha256
              if (dtype !== 'STRING' && sha256(readAll(source, name)) !== expected) wrong.push(name)
            }
            source.close()
          } catch (error) {
            expect(error).toHaveProperty('name', 'AlbertkitError')
          }
          expect(wrong).toEqual([])
        }),
        { numRuns: 150 },
      )
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
