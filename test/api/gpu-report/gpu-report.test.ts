import { describe, expect, it } from 'vitest'
import { settled, whySkipped } from '../../../src/api/gpu-report/gpu-report.js'
import type { RuntimeHealth } from '../../../src/api/doctor/report.js'
import { GPU_MODELS } from '../../../src/api/gpu-report/models.js'

const runtime = (status: RuntimeHealth['status'], reason: string | null = null): RuntimeHealth => ({
  name: 'ort-webgpu',
  required: false,
  place: 'gpu',
  status,
  detail: null,
  adapter: null,
  maxAbs: null,
  reason,
  fix: null,
})
const small = GPU_MODELS.find(({ isSmall }) => isSmall)!
const large = GPU_MODELS.find(({ isSmall }) => !isSmall)!

describe('a step that is ended', () => {
  it('since it took all that a step has failed', () => {
    expect(settled({ status: 'failed', reason: 'it did not end' }, 120.4, 120)).toEqual({
      status: 'failed',
      reason: 'it did not end',
      seconds: 120,
    })
  })

  it('since the report is over is not at fault', () => {
    expect(settled({ status: 'failed', reason: 'it did not end' }, 14.1, 14)).toMatchObject({
      status: 'skipped',
      reason: 'no time was left',
    })
  })

  it('by itself is what it is', () => {
    expect(settled({ status: 'failed', reason: 'crashed' }, 3, 14)).toMatchObject({ status: 'failed', seconds: 3 })
    expect(settled({ status: 'ok' }, 14.1, 14)).toMatchObject({ status: 'ok' })
  })
})

it.each([
  [small, runtime('works'), { left: 10, hung: [] }, null],
  [small, runtime('works'), { left: 0, hung: [] }, 'no time was left'],
  [large, runtime('works'), { left: 10, hung: ['zh, small'] }, 'it did not end on zh, small'],
  [small, runtime('software'), { left: 10, hung: [] }, null],
  [large, runtime('software'), { left: 10, hung: [] }, 'it would take minutes on a software adapter'],
  [small, runtime('absent', 'no driver'), { left: 10, hung: [] }, 'no driver'],
])('whySkipped %#', (model, health, state, reason) => {
  expect(whySkipped(model, health, state)).toBe(reason)
})
