import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openModel } from '../../../src/api/open/open.js'
import { openSource } from '../../../src/api/open/source.js'
import { writeRandomModel } from '../../helpers/random-model.js'

const out = mkdtempSync(join(tmpdir(), 'albertkit-dtypes-'))
afterAll(() => {
  rmSync(out, { recursive: true, force: true })
})

/** Every element type that the official library (safetensors 0.8) accepts, with its bits. */
const BITS: Readonly<Record<string, number>> = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
}

function fileOf(tensors: Readonly<Record<string, { dtype: string; shape: number[]; bytes: number }>>): Buffer {
  let at = 0
  const header = Object.fromEntries(
    Object.entries(tensors).map(([name, { dtype, shape, bytes }]) => [
      name,
      { dtype, shape, data_offsets: [at, (at += bytes)] },
    ]),
  )
  const text = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  return Buffer.concat([length, text, Buffer.alloc(at)])
}

describe('element types of safetensors', () => {
  it.each(Object.entries(BITS))('%s is listed', async (dtype, bits) => {
    const path = join(out, `${dtype}.safetensors`)
    writeFileSync(path, fileOf({ x: { dtype, shape: [2, 4], bytes: bits }, none: { dtype, shape: [0, 3], bytes: 0 } }))
    const source = await openSource(path)
    expect([...source.tensors.values()].map(({ shape, byteLength }) => [shape, byteLength])).toEqual([
      [[2, 4], bits],
      [[0, 3], 0],
    ])
    source.close()
  })

  it.each([
    ['F4', 3, 2],
    ['F6_E2M3', 2, 1],
    ['F8_E4M3', 2, 4],
    ['I4', 2, 1],
  ])('%s of %i elements in %i bytes is refused', async (dtype, count, bytes) => {
    const path = join(out, 'bad.safetensors')
    writeFileSync(path, fileOf({ x: { dtype, shape: [count], bytes } }))
    await expect(openSource(path)).rejects.toMatchObject({ kind: 'malformed', place: { tensor: 'x' } })
  })

  it('weights of another type are well-formed, and named as the file does', async () => {
    const folder = join(out, 'model')
    const small = { layers: 1, groups: 1, inner: 1, hidden: 40, embedding: 8, intermediate: 16 }
    const shape = {
      ...small,
      sharing: 'groups',
      preNorm: false,
      act: 'gelu_tanh',
      heads: ['sop'],
      pooler: true,
    } as const
    await writeRandomModel(folder, 'hf albert', shape)
    const path = join(folder, 'model.safetensors')
    const text = readFileSync(path, 'latin1')
    // Four elements of one byte for each of four bytes, in as many bytes of text.
    const entry = /"albert\.pooler\.bias":\{"dtype":"F32","shape":\[(\d+)\]/.exec(text)!
    const changed = `"albert.pooler.bias":{"dtype":"U8","shape":[${4 * Number(entry[1])}]`
    writeFileSync(path, text.replace(entry[0], changed.padEnd(entry[0].length)), 'latin1')
    await expect(openModel(folder)).rejects.toMatchObject({
      kind: 'unsupported',
      place: { tensor: 'albert.pooler.bias' },
    })
  })
})
