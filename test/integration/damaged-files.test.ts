import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openModel } from '../../src/api/open/open.js'
import { AlbertkitError } from '../../src/base/errors.js'
import { openSource } from '../../src/api/open/source.js'
import { readAll } from '../../src/formats/core/source.js'
import { describeShared, hasShared, SHARED } from '../helpers/shared.js'

interface Case {
  readonly expect: string
  readonly what: string
}

const cases = hasShared
  ? (JSON.parse(readFileSync(join(SHARED, 'tf/damaged/README.json'), 'utf8')) as { cases: Record<string, Case> }).cases
  : {}

/** Opens the model of a case and reads every tensor; what it throws, or null. */
async function attempt(name: string): Promise<unknown> {
  try {
    const opened = await openModel(join(SHARED, 'tf/damaged', name))
    for (const tensor of opened.source.tensors.keys()) opened.source.verifyChecksum(tensor)
    opened.close()
    return null
  } catch (error) {
    return error
  }
}

async function expectTypedError(name: string): Promise<AlbertkitError> {
  const error = await attempt(name)
  expect(error, name).toBeInstanceOf(AlbertkitError)
  const { exitCode, place } = error as AlbertkitError
  expect([3, 4]).toContain(exitCode)
  expect(place.file).toBeTruthy()
  return error as AlbertkitError
}

describeShared('damaged checkpoints', () => {
  const all = Object.entries(cases)
  const field = all.filter(([, c]) => c.expect === 'error naming the field').map(([name]) => name)
  it.each(field)('%s: the error names the field', async (name) => {
    const error = await expectTypedError(name)
    expect(error.place.field).toBeTruthy()
    expect(error.exitCode).toBe(3)
  })

  const reads = all.filter(([, c]) => c.expect === 'reads' || c.expect.startsWith('post-LN')).map(([name]) => name)
  it.each(reads)('%s: reads the same weights as the control', async (name) => {
    expect(await attempt(name)).toBeNull()
    const ok = await openSource(join(SHARED, 'tf/damaged/ok'))
    const it = await openSource(join(SHARED, 'tf/damaged', name))
    for (const tensor of ok.tensors.keys()) expect(readAll(it, tensor)).toEqual(readAll(ok, tensor))
    ok.close()
    it.close()
  })

  const either = [
    'big_endian',
    'forged_big_endian_header',
    'state_garbage',
    'state_traversal',
    'state_two',
    'forged_name_not_utf8',
  ]
  const errors = all
    .map(([name]) => name)
    .filter((name) => !field.includes(name) && !reads.includes(name) && !either.includes(name))
  it.each(errors)('%s: an error with a place', async (name) => {
    await expectTypedError(name)
  })

  it('big_endian has the weights of the control', async () => {
    const ok = await openSource(join(SHARED, 'tf/damaged/ok'))
    const big = await openSource(join(SHARED, 'tf/damaged/big_endian'))
    for (const tensor of ok.tensors.keys()) expect(readAll(big, tensor)).toEqual(readAll(ok, tensor))
  })

  it('the checkpoint file never leads out of its directory', async () => {
    const source = await openSource(join(SHARED, 'tf/damaged/state_traversal'))
    for (const file of source.files) expect(file).toContain('state_traversal')
  })

  it('of two checkpoints the one that the checkpoint file names is taken', async () => {
    const source = await openSource(join(SHARED, 'tf/damaged/state_two'))
    expect(source.files[0]).toMatch(/model\.ckpt-2\.index$/)
  })

  it('model_no_pooler_kernel names what is missing, model_wrong_shape what is wrong', async () => {
    expect((await expectTypedError('model_no_pooler_kernel')).place.tensor).toBe('bert/pooler/dense/kernel')
    expect((await expectTypedError('model_wrong_shape')).place.tensor).toBe('bert/pooler/dense/kernel')
  })

  it('without checksums a flipped byte reads, and other damage does not', async () => {
    const flipped = await openSource(join(SHARED, 'tf/damaged/data_flipped_byte'), { checksum: false })
    for (const tensor of flipped.tensors.keys()) readAll(flipped, tensor)
    await expect(openSource(join(SHARED, 'tf/damaged/data_truncated'), { checksum: false })).rejects.toThrow(
      AlbertkitError,
    )
  })
})

interface BadFile {
  readonly accepted: boolean
}

const files = hasShared
  ? (
      JSON.parse(readFileSync(join(SHARED, 'bad_safetensors/README.json'), 'utf8')) as {
        files: Record<string, BadFile>
      }
    ).files
  : {}

describeShared('safetensors files that the official library rejects or accepts', () => {
  it.each(Object.entries(files))('%s', async (name, { accepted }) => {
    const open = openSource(join(SHARED, 'bad_safetensors', name))
    if (accepted) {
      const source = await open
      for (const tensor of source.tensors.keys()) readAll(source, tensor)
      return
    }
    const error: unknown = await open.then(
      () => null,
      (e: unknown) => e,
    )
    expect(error).toBeInstanceOf(AlbertkitError)
    expect((error as AlbertkitError).exitCode).toBe(3)
    expect((error as AlbertkitError).place.file).toContain(name)
  })
})
