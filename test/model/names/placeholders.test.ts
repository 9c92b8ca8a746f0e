import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ModelConfig } from '../../../src/model/config.js'
import {
  expandPlaceholders,
  fillPattern,
  layerNormIndices,
  nameIndices,
  slotPattern,
} from '../../../src/model/names/placeholders.js'

describe('a pattern filled in', () => {
  it.each([
    ['encoder/layer_{l}/x', { l: 3 }, 'encoder/layer_3/x'],
    ['group_{g}/inner_group_{j}', { g: 0, j: 12 }, 'group_0/inner_group_12'],
    ['group_{g}{k}/x', { g: 1, k: 0 }, 'group_1/x'],
    ['group_{g}{k}/x', { g: 1 }, 'group_1/x'],
    ['group_{g}{k}/x', { g: 1, k: 2 }, 'group_1_2/x'],
    ['encoder{th}/x', { l: 0 }, 'encoder/x'],
    ['encoder{th}/x', {}, 'encoder/x'],
    ['encoder{th}/x', { l: 5 }, 'encoder_5/x'],
    ['norm_{odd}/norm_{even}', { n: 7 }, 'norm_7/norm_7'],
    ['{x}{other}', { l: 1 }, '{x}{other}'],
  ] as const)('%s with %j is %s', (pattern, indices, expected) => {
    expect(fillPattern(pattern, indices)).toBe(expected)
  })
})

describe('a pattern read', () => {
  const read = (pattern: string, name: string): Record<string, string | undefined> | null => {
    const found = new RegExp(`^${expandPlaceholders(pattern)}$`).exec(name)
    return found === null ? null : { ...found.groups }
  }
  it.each<[string, string, Record<string, string | undefined> | null]>([
    ['layer_{l}', 'layer_0', { l: '0' }],
    ['layer_{l}', 'layer_123456', { l: '123456' }],
    ['layer_{l}', 'layer_1234567', null],
    ['layer_{l}', 'layer_01', null],
    ['layer_{l}', 'layer_', null],
    ['{g}/{j}', '10/20', { g: '10', j: '20' }],
    ['group{k}', 'group', { k: undefined }],
    ['group{k}', 'group_2', { k: '2' }],
    ['group{k}', 'group_0', null],
    ['encoder{th}', 'encoder_3', { l: '3' }],
    ['encoder{th}', 'encoder_0', null],
    ['norm_{odd}', 'norm_13', { n: '13' }],
    ['norm_{odd}', 'norm_12', null],
    ['norm_{even}', 'norm_12', { n: '12' }],
    ['norm_{even}', 'norm_13', null],
  ])('%s of %s', (pattern, name, expected) => {
    expect(read(pattern, name)).toEqual(expected)
  })
})

describe('the pattern of a slot', () => {
  it.each([
    ['encoder/layer_3/attention/query/kernel', 'encoder/layer_{l}/attention/query/kernel', { l: 3 }],
    ['encoder/group_1/inner_group_20/x', 'encoder/group_{g}/inner_group_{j}/x', { g: 1, j: 20 }],
    ['encoder/layer_2/inner_group_0/x', 'encoder/layer_{l}/inner_group_{j}/x', { l: 2, j: 0 }],
    ['layer_4/x', 'layer_{l}/x', { l: 4 }],
    ['encoder/layer_3', 'encoder/layer_3', {}],
    ['encoder/mylayer_3/x', 'encoder/mylayer_3/x', {}],
    ['encoder/layer_x/x', 'encoder/layer_x/x', {}],
    ['pooler/dense/kernel', 'pooler/dense/kernel', {}],
  ])('%s', (slot, pattern, indices) => {
    expect(slotPattern(slot)).toEqual({ pattern, indices })
  })

  it('gives the slot again', () => {
    const index = fc.nat(9999)
    fc.assert(
      fc.property(index, index, index, (l, g, j) => {
        for (const slot of [`encoder/layer_${l}/x`, `encoder/group_${g}/inner_group_${j}/y`]) {
          const { pattern, indices } = slotPattern(slot)
          expect(fillPattern(pattern, indices)).toBe(slot)
        }
      }),
    )
  })
})

describe('indices that are not in a slot', () => {
  const config = { num_hidden_layers: 4, num_hidden_groups: 2, inner_group_num: 3, family: 'google' } as ModelConfig
  const of = (slot: string) => nameIndices(config, slot, slotPattern(slot).indices)

  it.each<[string, object]>([
    // Each group has two layers; every inner layer has two LayerNorms, numbered from 1 in the order of use.
    ['encoder/layer_0/inner_group_0/attention/LayerNorm/beta', { l: 0, j: 0, g: 0, k: 0, n: 1 }],
    ['encoder/layer_0/inner_group_0/ffn/LayerNorm/beta', { l: 0, j: 0, g: 0, k: 0, n: 2 }],
    ['encoder/layer_1/inner_group_2/attention/LayerNorm/beta', { l: 1, j: 2, g: 0, k: 1, n: 11 }],
    ['encoder/layer_2/inner_group_0/ffn/LayerNorm/beta', { l: 2, j: 0, g: 1, k: 0, n: 14 }],
    ['encoder/layer_3/inner_group_2/ffn/LayerNorm/beta', { l: 3, j: 2, g: 1, k: 1, n: 24 }],
    // The LayerNorm of the masked-token head comes after those of all layers.
    ['mlm/transform/LayerNorm/gamma', { n: 25 }],
    // keras-hub counts inner layers through all groups.
    ['encoder/group_1/inner_group_2/ffn/output/bias', { g: 1, j: 2, l: 5 }],
    ['encoder/layer_3/ffn/output/bias', { l: 3 }],
    ['pooler/dense/bias', {}],
  ])('%s', (slot, expected) => {
    expect(of(slot)).toEqual(expected)
  })

  it('count the layers of a group from its first', () => {
    const groups = [0, 1, 1, 1, 2]
    const k = groups.map((_, layer) => layerNormIndices({ inner_group_num: 1 }, (l) => groups[l]!, layer, 0, 1).k)
    expect(k).toEqual([0, 0, 1, 2, 0])
  })
})
