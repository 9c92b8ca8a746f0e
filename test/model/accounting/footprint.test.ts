import { describe, expect, it } from 'vitest'
import { footprintOf, layerActivations } from '../../../src/model/accounting/footprint.js'
import { findPreset } from '../../../src/model/accounting/presets.js'
import { slotsOf } from '../../../src/model/accounting/slots.js'

const base = findPreset('albert-base')!.config
const work = { batch: 2, sequence: 128, elementBytes: 4 }

describe('activations of a layer', () => {
  it('are s·b·h·(34 + 5·a·s/h) at two bytes, as Korthikanti et al. count them', () => {
    const [b, s, h, a] = [2, 128, 768, 12]
    const bytes = layerActivations(base, { batch: b, sequence: s, elementBytes: 2 })
    expect(bytes).toBe(s * b * h * 34 + 5 * a * s * s * b)
  })
})

describe('sharing', () => {
  const cost = (sharing: 'all' | 'none') => footprintOf(base, slotsOf(base, { sharing }), work)

  it('changes neither operations nor activations', () => {
    expect(cost('all').flops).toEqual(cost('none').flops)
    expect(cost('all').memory.training).toBe(cost('none').memory.training)
    expect(cost('all').memory.inference).toBe(cost('none').memory.inference)
  })

  it('shrinks weights and what an optimizer keeps, and lets a cache help', () => {
    const ratio = cost('none').memory.weights / cost('all').memory.weights
    expect(ratio).toBeCloseTo(89_650_176 / 11_683_584, 3)
    expect(cost('none').memory.trainingState / cost('all').memory.trainingState).toBeCloseTo(ratio, 9)
    expect(cost('all').intensity.cached).toBeGreaterThan(cost('none').intensity.cached)
    expect(cost('all').intensity.reread).toBe(cost('none').intensity.reread)
  })
})

describe('operations', () => {
  it('are 24·H²·S·L and 4·H·S²·L for the layers if I = 4H', () => {
    const { flops } = footprintOf(base, slotsOf(base), { ...work, batch: 1 })
    const [H, S, L] = [768, 128, 12]
    expect(flops.projections + flops.ffn).toBe(24 * H * H * S * L)
    expect(flops.scores).toBe(4 * H * S * S * L)
    expect(flops.pooler).toBe(2 * H * H)
    expect(flops.heads).toBe(0)
  })

  it('of a masked-token head are those of its transform and the tied table', () => {
    const slots = slotsOf(base, { heads: ['mlm', 'sop'] })
    const { flops } = footprintOf(base, slots, { ...work, batch: 1 })
    expect(flops.heads).toBe(2 * (128 * (768 * 128 + 30000 * 128) + 2 * 768))
  })
})
