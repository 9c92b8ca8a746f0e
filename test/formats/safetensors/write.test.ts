import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { SafeTensor } from 'safetensors'
import { afterAll, describe, expect, it } from 'vitest'
import { openSource } from '../../../src/api/open/source.js'
import { readAll } from '../../../src/formats/core/source.js'
import { BundleFiles, writeSafetensorsFile } from '../../helpers/write-files.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-write-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

const names = fc.string({ minLength: 1, maxLength: 12, unit: fc.constantFrom('a', 'b', '/', '_', '0', 'ÿ', '詞') })
const tensors = fc.uniqueArray(fc.tuple(names, fc.float32Array({ maxLength: 40 })), {
  selector: ([name]) => name,
  maxLength: 60,
})
const bytesOf = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength)

describe('a TensorFlow checkpoint', () => {
  it('reads back as it was written, checksums verified', async () => {
    const prefix = join(folder, 'model.ckpt')
    await fc.assert(
      fc.asyncProperty(tensors, async (list) => {
        const writer = new BundleFiles(prefix)
        for (const [name, values] of list)
          writer.add(name, 'F32', [values.length], (sink) => {
            sink(bytesOf(values))
          })
        writer.finish()
        const source = await openSource(prefix)
        expect([...source.tensors.keys()].sort()).toEqual(list.map(([name]) => name).sort())
        for (const [name, values] of list) expect(readAll(source, name)).toEqual(Uint8Array.from(bytesOf(values)))
        source.close()
      }),
      { numRuns: 60 },
    )
  })
})

describe('safetensors', () => {
  it('reads back as it was written', async () => {
    const file = join(folder, 'model.safetensors')
    await fc.assert(
      fc.asyncProperty(tensors, async (list) => {
        const values = new Map(list)
        const plans = list.map(([name, v]) => ({ name, dtype: 'F32' as const, shape: [v.length] }))
        writeSafetensorsFile(
          file,
          plans,
          ({ name }, sink) => {
            sink(bytesOf(values.get(name)!))
          },
          { format: 'pt' },
        )
        const source = await openSource(file)
        for (const [name, v] of list) expect(readAll(source, name)).toEqual(Uint8Array.from(bytesOf(v)))
        source.close()
      }),
      { numRuns: 60 },
    )
  })

  it('is what an independent reader reads', () => {
    const file = join(folder, 'official.safetensors')
    const a = Float32Array.from([1, 2, 3, 4, 5, 6])
    writeSafetensorsFile(file, [{ name: 'a', dtype: 'F32', shape: [2, 3] }], (_, sink) => {
      sink(bytesOf(a))
    })
    const bytes = new SafeTensor(Uint8Array.from(readFileSync(file))).getTensor('a')
    expect([...new Float32Array(Uint8Array.from(bytes).buffer)]).toEqual([...a])
  })
})
