import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { convertModel } from '../../src/api/convert/convert.js'
import { verifyModel } from '../../src/api/verify/verify.js'
import { ZH_NEWS } from '../helpers/shared.js'
import { ask, TRANSFORMERS } from './python.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-oracle-goldens-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

describe.skipIf(TRANSFORMERS === null)('goldens that transformers users save', () => {
  it('are taken as docs/verify.md says, from the model and the one it was made of, and a wrong epsilon is seen', async () => {
    const model = join(folder, 'bert')
    await convertModel(ZH_NEWS, model, { targets: ['safetensors'], targetArchitecture: 'bert' })
    const files = { safetensors: join(folder, 'golden.safetensors'), npz: join(folder, 'golden.npz') }
    ask(TRANSFORMERS!, 'save_goldens.py', { model, ...files })
    for (const golden of Object.values(files)) {
      for (const source of [model, ZH_NEWS]) {
        const report = await verifyModel(source, null, { golden })
        expect(report.comparisons.map((c) => c.output).join()).toContain('_')
        expect(report, `${source} ${golden}`).toMatchObject({ ok: true, notRun: [] })
      }
      expect((await verifyModel(ZH_NEWS, null, { golden, layerNormEpsilon: 1e-5 })).ok).toBe(false)
    }
    // A golden that was changed in one number is not taken for right.
    const bytes = readFileSync(files.safetensors)
    bytes.writeFloatLE(bytes.readFloatLE(bytes.length - 4) + 1e-3, bytes.length - 4)
    writeFileSync(files.safetensors, bytes)
    expect((await verifyModel(ZH_NEWS, null, { golden: files.safetensors })).ok).toBe(false)
  })
})
