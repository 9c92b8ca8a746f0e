import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openModel, type OpenedModel } from '../../src/api/open/open.js'
import { relaxToFloat32Error } from '../../src/api/verify/float32-error.js'
import { makeTestCases } from '../../src/api/verify/test-cases.js'
import { Verification } from '../../src/api/verify/running.js'
import { convertModel, verifyModel } from '../../src/index.js'
import type { Fill } from '../../src/model/tensors/derived.js'
import { ALL_HEADS } from '../../src/model/tasks.js'
import { writeRandomModel, SMALL } from '../helpers/random-model.js'
import { ZH_NEWS } from '../helpers/shared.js'

// Models whose outputs float32 itself moves further than the usual bound.

const folder = mkdtempSync(join(tmpdir(), 'albertkit-float32Error-'))
const model = join(folder, 'model')
let opened: OpenedModel

/** A pooler whose values are all nearly tanh(1), and a head that subtracts one half of them from the other. */
const cancelling: Readonly<Record<string, (i: number) => number>> = {
  'pooler/dense/kernel': (i) => 1e-7 * Math.sin(i),
  'pooler/dense/bias': () => 1,
  'classifier/output_weights': (i) => (i % 2 === 0 ? 100 : -100),
  'classifier/output_bias': () => 0,
}
const fillWith =
  (value: (i: number) => number): Fill =>
  (start, target) => {
    for (let i = 0; i < target.length; i++) target[i] = value(start + i)
  }

beforeAll(async () => {
  const shape = { ...SMALL, hidden: 64, heads: ['classifier'] } as const
  await writeRandomModel(model, 'google', shape, 1, (slot, { noise }) => {
    const value = cancelling[slot]
    return value === undefined ? noise : fillWith(value)
  })
  opened = await openModel(model)
})
afterAll(() => {
  opened.close()
  rmSync(folder, { recursive: true, force: true })
})

/** What is found of a runtime that is off by `error` in every logit. */
async function offBy(error: number, atol?: number): Promise<Verification> {
  const options = atol === undefined ? {} : { atol }
  const { testCases } = await makeTestCases(opened, ALL_HEADS, options)
  const v = new Verification(opened, testCases, ALL_HEADS, options)
  for (const testCase of testCases) {
    const logits = testCase.expected.get('logits')!
    const data = Float64Array.from(logits.data, (x) => x + error)
    await v.compareRun('tfjs-cpu', testCase, new Map([['logits', { ...logits, data }]]), { skipMasked: true })
  }
  return v
}
const allOk = (v: Verification): boolean => v.comparisons.every(({ ok }) => ok)

describe('an output that float32 moves further than its bound', () => {
  it('is judged by that error, with a note', async () => {
    const report = await verifyModel(model, null, { runners: ['tfjs-wasm', 'tfjs-cpu'] })
    expect(report.ok).toBe(true)
    const logits = report.comparisons.filter(({ output, rows }) => output === 'logits' && rows === undefined)
    expect(Math.max(...logits.map(({ maxAbs }) => maxAbs ?? Infinity))).toBeGreaterThan(1e-5)
    expect(report.notes).toContainEqual(expect.stringMatching(/^float32 rounding alone changes logits by \d\.\de-5/))
  })

  it('is judged so too if its weights are stored in float16', async () => {
    const halfs = join(folder, 'halfs')
    const { verification } = await convertModel(model, halfs, { targets: ['onnx'], dtypes: ['f16'], minAgreement: 0 })
    expect(verification?.notes).toContainEqual(expect.stringMatching(/^float32 rounding alone changes logits by/))
    const logits = verification?.comparisons.filter(
      ({ output, ok, rows }) => output === 'logits' && ok && rows === undefined,
    )
    expect(Math.max(...(logits ?? []).map(({ atol }) => atol))).toBeGreaterThan(1e-5)
  })

  it('is wrong if its error is larger than that', async () => {
    const far = await offBy(9e-5)
    expect(far.notes).toEqual([])
    expect(allOk(far)).toBe(false)
    expect(allOk(await offBy(2e-5))).toBe(true)
  })

  it('is wrong at once if it is far off, or if a bound was given', async () => {
    const [far, strict] = [await offBy(1e-3), await offBy(2e-5, 1e-5)]
    for (const v of [far, strict]) {
      expect(v.notes).toEqual([])
      expect(allOk(v)).toBe(false)
    }
  })
})

it('in a usual model the usual bound stays', async () => {
  const usual = await openModel(ZH_NEWS)
  try {
    const { testCases } = await makeTestCases(usual, ALL_HEADS, {})
    const moved = (await testCases[0]?.float32Errors?.('logits'))?.maxAbs ?? Infinity
    expect(moved).toBeGreaterThan(0)
    expect(moved).toBeLessThan(3e-6)
  } finally {
    usual.close()
  }
})

describe('a comparison judged by float32Error', () => {
  const missed = {
    runner: 'tfjs-cpu',
    output: 'logits',
    shape: [2, 2],
    maxAbs: 2e-5,
    meanAbs: 5e-6,
    cosine: 1,
    ulps: 20,
    where: [0, 0],
    atol: 1e-5,
    ok: false,
  }
  const float32Error = { maxAbs: 1e-5, meanAbs: 2e-6 }

  it('is fine if its error is at most three times as large', () => {
    expect(relaxToFloat32Error(missed, float32Error)).toMatchObject({
      ok: true,
      atol: expect.closeTo(3e-5, 9) as number,
    })
    expect(relaxToFloat32Error({ ...missed, maxAbs: 4e-5 }, float32Error)).toMatchObject({ ok: false })
  })

  it('is wrong if all values are off by that, as after a wrong computation, and keeps its bound', () => {
    expect(relaxToFloat32Error({ ...missed, meanAbs: 7e-6 }, float32Error)).toMatchObject({ ok: false, atol: 1e-5 })
  })

  it('keeps the wider bound', () => {
    expect(relaxToFloat32Error({ ...missed, atol: 5e-3 }, float32Error)).toMatchObject({ atol: 5e-3 })
  })
})

it('rows that are masked everywhere have a float32Error of their own', async () => {
  const { testCases } = await makeTestCases(opened, ALL_HEADS, {})
  const largestOf = async (rows?: 'masked'): Promise<number> => {
    let largest = 0
    for (const { float32Errors } of testCases)
      largest = Math.max(largest, (await float32Errors?.('last_hidden_state', rows))?.maxAbs ?? 0)
    return largest
  }
  const [ordinary, masked] = [await largestOf(), await largestOf('masked')]
  expect(ordinary).toBeGreaterThan(0)
  expect(masked).toBeGreaterThan(0)
  expect(masked).not.toBe(ordinary)
})
