import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { convertModel, verifyModel, verifyOpened } from '../../src/index.js'
import { openModel } from '../../src/api/open/open.js'
import { ALL_HEADS } from '../../src/model/tasks.js'
import { openSource } from '../../src/api/open/source.js'
import { readAll, type DType } from '../../src/formats/core/source.js'
import { encodeFloats } from '../../src/model/tensors/encode.js'
import { verifyText } from '../../src/report/text/verify.js'
import { defaultInputs } from '../../src/compare/sample-inputs.js'
import { describeShared, SHARED, ZH_NEWS } from '../helpers/shared.js'
import { writeSafetensorsFile } from '../helpers/write-files.js'

// What verification is tried on, and what is the arbiter.

const folder = mkdtempSync(join(tmpdir(), 'albertkit-verify-inputs-'))
const at = (name: string): string => join(folder, name)
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

interface Saved {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
}

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
    const saved = await verifyModel(ZH_NEWS, null, { saveGolden: file, runners: ['tfjs-wasm'] })
    expect(saved).toMatchObject({ ok: true, saved: file })
    const report = await verifyModel(ZH_NEWS, null, { golden: file, runners: ['reference', 'tfjs-wasm'] })
    expect(report.ok).toBe(true)
    expect(new Set(report.comparisons.map((c) => c.output))).toContain('hidden_state_3')
    expect((await verifyModel(ZH_NEWS, null, { golden: file, layerNormEpsilon: 1e-5 })).ok).toBe(false)
    await expect(verifyModel(ZH_NEWS, null, { saveGolden: file, runners: ['tfjs-wasm'] })).rejects.toMatchObject({
      exitCode: 5,
    })
  })
})

describe('--against', () => {
  it('another form of the same model is equal, the same model with another epsilon is not', async () => {
    await convertModel(ZH_NEWS, at('bert'), { targets: ['safetensors'], targetArchitecture: 'bert', verify: false })
    const equal = await verifyModel(ZH_NEWS, null, { referenceModel: at('bert') })
    expect(equal).toMatchObject({ ok: true, against: at('bert') })
    expect(equal.comparisons.map((c) => c.runner)).toContain('reference')
    expect(equal.notes.join()).not.toContain('not compared')
    const source = await openModel(ZH_NEWS)
    const without = { ...source, model: { ...source.model, mlm: null, classifier: null } }
    const { notes } = await verifyOpened(without, null, { referenceModel: ZH_NEWS })
    source.close()
    expect(notes).toContain('not compared, for only one of the models has it: prediction_logits, logits')
    const other = await verifyModel(ZH_NEWS, null, { referenceModel: ZH_NEWS, layerNormEpsilon: 1e-3, layers: true })
    expect(other.ok).toBe(false)
    expect(other.firstDivergent?.layer).toBe(-1)
  })
})

describe('ids that the model does not have', () => {
  it('are refused before any runtime sees them', async () => {
    const file = at('ids.safetensors')
    await verifyModel(ZH_NEWS, null, { saveGolden: file, runners: ['tfjs-wasm'] })
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

describe('goldens of all sorts', () => {
  /** The bundled golden's first two rows with some tensors made others. */
  async function golden(name: string, edit: Readonly<Record<string, Saved | null>>): Promise<string> {
    const source = await openSource(join(ZH_NEWS, 'golden.safetensors'))
    const wanted = ['input_ids', 'input_mask', 'segment_ids', 'pooled_output', 'logits']
    const tensors = new Map<string, Saved>()
    for (const tensor of wanted) {
      const { shape, dtype } = source.tensors.get(tensor)!
      tensors.set(tensor, { dtype, shape, bytes: readAll(source, tensor) })
    }
    source.close()
    for (const [tensor, saved] of Object.entries(edit)) {
      if (saved === null) tensors.delete(tensor)
      else tensors.set(tensor, saved)
    }
    const plans = [...tensors].map(([tensor, { dtype, shape }]) => ({ name: tensor, dtype, shape }))
    writeSafetensorsFile(at(name), plans, (plan, sink) => {
      sink(tensors.get(plan.name)!.bytes)
    })
    return at(name)
  }
  const numbers = (file: string, tensor: string) =>
    openSource(file).then((source) => {
      const { shape } = source.tensors.get(tensor)!
      const bytes = readAll(source, tensor)
      source.close()
      return { shape, bytes }
    })
  const bundled = join(ZH_NEWS, 'golden.safetensors')

  it('ids that only look right after wrapping around are refused', async () => {
    const { shape, bytes } = await numbers(bundled, 'input_ids')
    const ids = [...new Int32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))]
    const wide = BigInt64Array.from(ids, (id, i) => BigInt(id) + (i === 0 ? 1n << 32n : 0n))
    const file = await golden('wide', { input_ids: { dtype: 'I64', shape, bytes: new Uint8Array(wide.buffer) } })
    await expect(verifyModel(ZH_NEWS, null, { golden: file })).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringMatching(/^input_ids holds 42949\d+, which is not a 32-bit integer$/) as string,
    })
    const halves = Float32Array.from(ids, (id) => id + 0.5)
    const half = await golden('half-ids', { input_ids: { dtype: 'F32', shape, bytes: new Uint8Array(halves.buffer) } })
    await expect(verifyModel(ZH_NEWS, null, { golden: half })).rejects.toMatchObject({ exitCode: 3 })
    // Whole numbers may be stored as floats, as masks often are; they are inputs, not outputs.
    const whole = Float32Array.from(ids)
    const fine = await golden('floats', { input_ids: { dtype: 'F32', shape, bytes: new Uint8Array(whole.buffer) } })
    expect(await verifyModel(ZH_NEWS, null, { golden: fine })).toMatchObject({ ok: true, notRun: [] })
  })

  it('reports an output of another shape, and lists the known names for unknown ones', async () => {
    const short = { dtype: 'F32', shape: [4, 10], bytes: new Uint8Array(160) } as const
    const report = await verifyModel(ZH_NEWS, null, { golden: await golden('short', { logits: short }) })
    expect(verifyText(report)).toMatch(/logits .*DIFFERS: not \[4, 10\]/)
    const pooled = await golden('names', { mine: short, logits: null, pooled_output: null })
    const nothing = await verifyModel(ZH_NEWS, null, { golden: pooled })
    expect(nothing.ok).toBe(false)
    expect(verifyText(nothing)).toMatch(/none of the model's outputs: last_hidden_state, pooler_output/)
  })

  it('positions of masked tokens that the inputs do not have are refused', async () => {
    const positions = {
      dtype: 'I32',
      shape: [8, 1],
      bytes: new Uint8Array(Int32Array.from({ length: 8 }, () => 64).buffer),
    } as const
    const file = await golden('positions', { mlm_positions: positions })
    await expect(verifyModel(ZH_NEWS, null, { golden: file })).rejects.toMatchObject({
      exitCode: 3,
      message: 'mlm_positions holds 64, but the inputs are 64 tokens long',
    })
  })

  it('outputs in float16 are compared as exactly as they are stored', async () => {
    const { shape, bytes } = await numbers(bundled, 'logits')
    const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
    const halfs = (change: number): Saved => {
      const target = new Uint8Array(2 * values.length)
      encodeFloats(
        'F16',
        values.map((x) => x + change),
        target,
      )
      return { dtype: 'F16', shape, bytes: target }
    }
    const report = await verifyModel(ZH_NEWS, null, { golden: await golden('f16', { logits: halfs(0) }) })
    expect(report.ok).toBe(true)
    const [logits] = report.comparisons.filter((c) => c.output === 'logits')
    expect(logits?.maxAbs).toBeGreaterThan(1e-5)
    expect(logits?.atol).toBeLessThan(0.01)
    const wrong = await verifyModel(ZH_NEWS, null, { golden: await golden('f16-wrong', { logits: halfs(0.02) }) })
    expect(wrong.ok).toBe(false)
  })
})

describeShared('a model without a vocabulary', () => {
  it('cannot read text, and says what is missing', async () => {
    const path = join(SHARED, 'tf/google_base_like')
    await expect(verifyModel(path, null, { text: join(ZH_NEWS, 'test.tsv') })).rejects.toMatchObject(usage)
  })
})
