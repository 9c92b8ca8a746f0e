import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { convertModel, verifyModel } from '../../src/index.js'
import { openModel } from '../../src/api/open.js'
import { ALL_HEADS } from '../../src/model/outputs.js'
import { defaultInputs } from '../../src/verify/inputs.js'
import { describeShared, SHARED, ZH_NEWS } from '../helpers/shared.js'

// What verification is tried on, and what is the arbiter.

const folder = mkdtempSync(join(tmpdir(), 'albertkit-verify-inputs-'))
const at = (name: string): string => join(folder, name)
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

const usage = { exitCode: 2 }

describe('inputs of our own', () => {
  it('have lengths 1, 2, odd and the longest, padding, a row of padding, and both ends of the vocabulary', async () => {
    const opened = await openModel(ZH_NEWS)
    const { inputs, notes } = defaultInputs(opened.model, ALL_HEADS)
    opened.close()
    expect(inputs.map(({ sequence }) => sequence)).toEqual([17, 1, 2, 128])
    expect(notes).toEqual([])
    for (const { input_ids } of inputs) {
      expect(input_ids[0]).toBe(4099)
      expect(input_ids.at(-1)).toBe(0)
    }
    const rows = inputs.flatMap(({ batch, sequence, attention_mask }) =>
      Array.from({ length: batch }, (_, row) => attention_mask.slice(row * sequence, (row + 1) * sequence)),
    )
    const shares = rows.map((mask) => mask.reduce((a, b) => a + b, 0) / mask.length)
    expect(shares).toContain(1)
    expect(shares).toContain(0)
    expect(shares.some((share) => share > 0 && share < 1)).toBe(true)
  })
})

describe('--text', () => {
  it('runs the sentences of a file, and says how many', async () => {
    const lines = readFileSync(join(ZH_NEWS, 'test.tsv'), 'utf8').split('\n').slice(0, 12)
    writeFileSync(at('some.tsv'), lines.join('\n'))
    const report = await verifyModel(ZH_NEWS, null, { text: at('some.tsv'), runners: ['tfjs-wasm'] })
    expect(report.ok).toBe(true)
    expect(report.inputs.map(([rows]) => rows)).toEqual([8, 4])
    expect(report.inputs.every(([rows = 0, tokens = 0]) => rows <= 8 && tokens <= 128)).toBe(true)
  })

  it('without a text or a vocabulary is a usage error', async () => {
    writeFileSync(at('empty.txt'), '\n\n')
    await expect(verifyModel(ZH_NEWS, null, { text: at('empty.txt') })).rejects.toMatchObject(usage)
    await expect(verifyModel(ZH_NEWS, null, { text: at('absent.txt') })).rejects.toMatchObject(usage)
  })
})

describe('--save', () => {
  it('writes a golden that the source and its artefacts agree with, and a wrong model does not', async () => {
    const file = at('saved.safetensors')
    const saved = await verifyModel(ZH_NEWS, null, { save: file, runners: ['tfjs-wasm'] })
    expect(saved).toMatchObject({ ok: true, saved: file })
    const report = await verifyModel(ZH_NEWS, null, { golden: file, runners: ['reference', 'tfjs-wasm'] })
    expect(report.ok).toBe(true)
    expect(new Set(report.comparisons.map((c) => c.output))).toContain('hidden_state_3')
    expect((await verifyModel(ZH_NEWS, null, { golden: file, layerNormEpsilon: 1e-5 })).ok).toBe(false)
    await expect(verifyModel(ZH_NEWS, null, { save: file, runners: ['tfjs-wasm'] })).rejects.toMatchObject({
      exitCode: 5,
    })
  })
})

describe('--against', () => {
  it('another form of the same model is equal, the same model with another epsilon is not', async () => {
    await convertModel(ZH_NEWS, at('bert'), { targets: ['safetensors'], as: 'bert', verify: false })
    const equal = await verifyModel(ZH_NEWS, null, { against: at('bert') })
    expect(equal).toMatchObject({ ok: true, against: at('bert') })
    expect(equal.comparisons.map((c) => c.runner)).toContain('reference')
    const other = await verifyModel(ZH_NEWS, null, { against: ZH_NEWS, layerNormEpsilon: 1e-3, layers: true })
    expect(other.ok).toBe(false)
    expect(other.firstDivergent?.layer).toBe(-1)
  })
})

describe('ids that the model does not have', () => {
  it('are refused before any runtime sees them', async () => {
    const file = at('ids.safetensors')
    await verifyModel(ZH_NEWS, null, { save: file, runners: ['tfjs-wasm'] })
    const bytes = readFileSync(file)
    const data = 8 + Number(bytes.readBigUInt64LE(0))
    bytes.writeBigInt64LE(4100n, data)
    writeFileSync(file, bytes)
    await expect(verifyModel(ZH_NEWS, null, { golden: file })).rejects.toMatchObject({
      exitCode: 3,
      message: 'input_ids holds 4100, but the model has ids from 0 to 4099',
    })
  })
})

describeShared('a model without a vocabulary', () => {
  it('cannot read text, and says what is missing', async () => {
    const path = join(SHARED, 'tf/google_base_like')
    await expect(verifyModel(path, null, { text: join(ZH_NEWS, 'test.tsv') })).rejects.toMatchObject(usage)
  })
})
