import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { tarGz, zip } from '../../helpers/archive.js'
import { fuzz } from '../../helpers/fuzz.js'
import { describeShared, SHARED } from '../../helpers/shared.js'

/** Archives and PyTorch files with any byte changed, or any end cut off. */

const out = mkdtempSync(join(tmpdir(), 'albertkit-fuzz-'))
const unpacked = (): string[] =>
  readdirSync(tmpdir()).filter((name) => name.startsWith('.albertkit-') && name.includes(`-${process.pid}-`))
// What is unpacked, and left, is that of these tests alone.
vi.stubEnv('TMPDIR', out)
afterEach(() => {
  expect(unpacked()).toEqual([])
})
afterAll(() => {
  vi.unstubAllEnvs()
  rmSync(out, { recursive: true, force: true })
})

const OBJECTS = ['objects.ckpt.index', 'objects.ckpt.data-00000-of-00001']
const entries = OBJECTS.map((name) => ({
  name: `model/${name}`,
  data: readFileSync(new URL(`../../fixtures/formats/${name}`, import.meta.url)),
}))

describe('any byte of an archive changed, or its end cut off', () => {
  it.each([
    ['zip', zip],
    ['tar.gz', tarGz],
  ] as const)('%s', async (suffix, make) => {
    await fuzz(join(out, `x.${suffix}`), await make(entries))
  })

  it('the name of an archive changed to one of another kind', async () => {
    writeFileSync(join(out, 'wrong.zip'), await tarGz(entries))
    writeFileSync(join(out, 'wrong.tar.gz'), await zip(entries))
    const { openSource } = await import('../../../src/api/open/source.js')
    for (const name of ['wrong.zip', 'wrong.tar.gz'])
      await expect(openSource(join(out, name))).rejects.toMatchObject({ kind: 'malformed' })
  })
})

describeShared('any byte of a PyTorch file changed, or its end cut off', () => {
  const file = (name: string): Buffer => readFileSync(join(SHARED, 'hf', name, 'pytorch_model.bin'))
  it('zip', async () => {
    await fuzz(join(out, 'zip.bin'), file('albert_qa'))
  })

  it('the old format', async () => {
    await fuzz(join(out, 'legacy.bin'), file('bert_seqcls_gamma_beta'))
  })
})
