import { describe, expect, it } from 'vitest'
import { footprintOf } from '../../../src/model/accounting/footprint.js'
import { slotsOf, type SlotOptions } from '../../../src/model/accounting/slots.js'
import type { ModelConfig } from '../../../src/model/config.js'
import { findPreset } from '../../../src/model/accounting/presets.js'

/** Every figure of a small model, counted tensor by tensor. */

const [V, E, H, I, P, T, heads, L, J] = [11, 4, 8, 12, 6, 5, 2, 3, 2]
const config: ModelConfig = {
  ...findPreset('albert-base')!.config,
  vocab_size: V,
  embedding_size: E,
  hidden_size: H,
  intermediate_size: I,
  max_position_embeddings: P,
  type_vocab_size: T,
  num_attention_heads: heads,
  num_hidden_layers: L,
  inner_group_num: J,
}

/** Parameters of one inner layer. */
const ATTENTION = 4 * (H * H + H)
const FFN = H * I + I + I * H + H
const LAYER = ATTENTION + FFN + 4 * H
const TABLES = (V + P + T) * E
const MAPPING = E * H + H

function expected(B: number, S: number, bytes: number, { mlm, pooler }: { mlm: boolean; pooler: boolean }) {
  const tokens = B * S
  const scores = B * heads * S * S
  const head = mlm ? H * E + E + 2 * E + V : 0
  const outside = 2 * E + MAPPING + (pooler ? H * H + H : 0) + head
  const blocks = L * J
  const flops = {
    embeddings: 2 * tokens * E * H,
    projections: 2 * tokens * blocks * 4 * H * H,
    // Scores and the weighted sum: each a product over the hidden size for every pair of tokens.
    scores: 2 * blocks * 2 * tokens * S * H,
    ffn: 2 * tokens * blocks * 2 * H * I,
    pooler: pooler ? 2 * B * H * H : 0,
    heads: mlm ? 2 * tokens * (H * E + V * E) : 0,
  }
  const total = Object.values(flops).reduce((a, b) => a + b, 0)
  // A decoder holds the hidden states and a logit for each token of the vocabulary.
  const logits = mlm ? tokens * (H + V) * bytes : 0
  const kept = tokens * ((8 * H + 2 * I) * bytes + 2 * H) + scores * (2 * bytes + 1)
  // Weights that are read: three rows of the tables for a token, the decoder's table, everything else as often as used.
  const read = (layers: number): number => bytes * (outside + layers * LAYER + 3 * E * tokens + (mlm ? V * E : 0))
  // Activations are written once and read once.
  const written = blocks * (tokens * (8 * H + 2 * I) + 2 * scores) + tokens * (E + H) + (mlm ? tokens * V : 0)
  const stored = TABLES + outside + J * LAYER
  return {
    flops: { ...flops, total },
    memory: {
      weights: stored * bytes,
      inference: Math.max(bytes * (4 * tokens * H + 2 * scores), bytes * tokens * (H + 2 * I), logits),
      training: blocks * kept + tokens * (2 * E * bytes + E) + logits,
      trainingState: 16 * stored,
    },
    intensity: { reread: total / (read(L * J) + 2 * bytes * written), cached: total / (read(J) + 2 * bytes * written) },
  }
}

describe('a small model', () => {
  it.each<[string, number, number, number, SlotOptions, { mlm: boolean; pooler: boolean }]>([
    [
      'short rows, in which the feed-forward layer is widest',
      3,
      2,
      4,
      { pooler: false },
      { mlm: false, pooler: false },
    ],
    ['long rows, in which the scores are', 2, 13, 2, {}, { mlm: false, pooler: true }],
    ['a masked-token head', 2, 3, 4, { heads: ['mlm'] }, { mlm: true, pooler: true }],
  ])('with %s', (_, batch, sequence, elementBytes, options, parts) => {
    const found = footprintOf(config, slotsOf(config, options), { batch, sequence, elementBytes })
    expect(found).toEqual(expected(batch, sequence, elementBytes, parts))
  })

  it('of a large vocabulary needs most memory for the logits', () => {
    const large = { ...config, vocab_size: 1000 }
    const { memory } = footprintOf(large, slotsOf(large, { heads: ['mlm'] }), {
      batch: 2,
      sequence: 3,
      elementBytes: 4,
    })
    expect(memory.inference).toBe(2 * 3 * (H + 1000) * 4)
  })

  it('of a wide feed-forward layer needs most memory for its two sides', () => {
    const wide = { ...config, intermediate_size: 100 }
    const { memory } = footprintOf(wide, slotsOf(wide), { batch: 2, sequence: 3, elementBytes: 4 })
    expect(memory.inference).toBe(2 * 3 * (H + 2 * 100) * 4)
  })

  it('with a decoder of its own multiplies by that', () => {
    const work = { batch: 2, sequence: 3, elementBytes: 4 }
    const heads = (untied: boolean): number =>
      footprintOf({ ...config, family: 'hf' }, slotsOf({ ...config, family: 'hf' }, { heads: ['mlm'], untied }), work)
        .flops.heads
    expect(heads(true)).toBe(heads(false))
  })
})
