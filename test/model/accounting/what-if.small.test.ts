import { describe, expect, it } from 'vitest'
import { findPreset } from '../../../src/model/accounting/presets.js'
import type { SlotOptions } from '../../../src/model/accounting/slots.js'
import { sharingOf, sharingWords, whatIfs, type WhatIf } from '../../../src/model/accounting/what-if.js'
import type { ModelConfig } from '../../../src/model/config.js'
import { errorOf } from '../../helpers/named-source.js'

/** Each change of a model, and what becomes of the other sizes. */

const albert = findPreset('albert-base')!.config
const bert = findPreset('bert-base')!.config
const zh = findPreset('albert-base-zh')!.config

describe('one other size', () => {
  it.each<[string, ModelConfig, SlotOptions, WhatIf, string, Partial<ModelConfig>, SlotOptions]>([
    ['vocabulary', albert, {}, { vocabularies: [21128] }, 'V 21128', { vocab_size: 21128 }, {}],
    ['layers', albert, {}, { layers: [6] }, 'L 6', { num_hidden_layers: 6 }, {}],
    ['embeddings', albert, {}, { embeddingSizes: [64] }, 'E 64', { embedding_size: 64 }, {}],
    [
      'a hidden size that heads of the same width divide',
      albert,
      {},
      { hiddenSizes: [1024] },
      'H 1024',
      { hidden_size: 1024, num_attention_heads: 16, intermediate_size: 4096 },
      {},
    ],
    [
      'one that they do not: as many heads as divide both',
      albert,
      {},
      { hiddenSizes: [312] },
      'H 312',
      { hidden_size: 312, num_attention_heads: 12, intermediate_size: 1248 },
      {},
    ],
    [
      'one that has few divisors in common',
      albert,
      {},
      { hiddenSizes: [90] },
      'H 90',
      { hidden_size: 90, num_attention_heads: 6, intermediate_size: 360 },
      {},
    ],
    [
      'the hidden size of BERT, which its embeddings have too',
      bert,
      {},
      { hiddenSizes: [1024] },
      'H 1024',
      { hidden_size: 1024, num_attention_heads: 16, intermediate_size: 4096, embedding_size: 1024 },
      {},
    ],
    ['one group', albert, {}, { groups: [1] }, '1 group', {}, { sharing: 'groups' }],
    [
      'groups',
      albert,
      { labels: 3 },
      { groups: [4] },
      '4 groups',
      { num_hidden_groups: 4 },
      { labels: 3, sharing: 'groups' },
    ],
    ['a group a layer', albert, {}, { groups: [12] }, '12 groups', { num_hidden_groups: 12 }, { sharing: 'groups' }],
    ['sharing', albert, {}, { sharings: ['attention'] }, 'attention shared', {}, { sharing: 'attention' }],
    ['the width that BERT has', bert, {}, { embeddingSizes: [768] }, 'E 768', {}, {}],
  ])('%s', (_, config, options, whatIf, label, changes, chosen) => {
    expect(whatIfs(config, options, whatIf)).toEqual([
      { label, config: { ...config, ...changes }, options: chosen, notes: [] },
    ])
  })

  it.each<[SlotOptions, SlotOptions]>([
    [{}, { sharing: 'none' }],
    [{ sharing: 'all' }, { sharing: 'all' }],
  ])('embeddings of BERT make it a form of ALBERT: %j', (options, chosen) => {
    expect(whatIfs(bert, options, { embeddingSizes: [128] })).toEqual([
      {
        label: 'E 128',
        config: { ...bert, family: 'google', architecture: 'albert', embedding_size: 128 },
        options: chosen,
        notes: ['BERT does not factorise: its other parts, with ALBERT’s embeddings'],
      },
    ])
  })
})

describe('several', () => {
  it('are one model for each combination, in the order of the table', () => {
    const labels = whatIfs(
      albert,
      {},
      {
        vocabularies: [10, 20],
        layers: [1, 2],
        hiddenSizes: [64],
        sharings: ['all', 'none'],
        groups: [1],
        embeddingSizes: [4, 8],
      },
    ).map(({ label }) => label)
    expect(labels).toHaveLength(16)
    expect(labels.slice(0, 5)).toEqual([
      'V 10, L 1, H 64, E 4, 1 group, all shared',
      'V 10, L 1, H 64, E 8, 1 group, all shared',
      'V 10, L 1, H 64, E 4, 1 group, not shared',
      'V 10, L 1, H 64, E 8, 1 group, not shared',
      'V 10, L 2, H 64, E 4, 1 group, all shared',
    ])
    expect(labels[15]).toBe('V 20, L 2, H 64, E 8, 1 group, not shared')
  })

  it('are none if nothing is asked', () => {
    expect(whatIfs(albert, {}, {})).toEqual([])
    expect(whatIfs(albert, {}, { layers: [], groups: [] })).toEqual([])
    expect(whatIfs(albert, {}, { layers: [], groups: [2] })).toHaveLength(1)
  })

  it('are 48 at most', () => {
    const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1)
    expect(whatIfs(albert, {}, { vocabularies: upTo(24), layers: [1, 2] })).toHaveLength(48)
    expect(errorOf(() => whatIfs(albert, {}, { vocabularies: upTo(7), layers: upTo(7) }))).toEqual({
      kind: 'usage',
      code: 'limit-exceeded',
      message: 'the sizes asked for are more than 48 combinations',
      hint: 'ask for fewer at a time',
    })
  })

  it('have no more groups than layers, of those asked for', () => {
    expect(whatIfs(albert, {}, { groups: [3], layers: [3] })[0]?.config.num_hidden_groups).toBe(3)
    expect(errorOf(() => whatIfs(albert, {}, { groups: [3], layers: [2] }))).toEqual({
      kind: 'usage',
      code: 'option-conflict',
      message: '3 groups are more than 2 layers',
      field: 'num_hidden_groups',
    })
  })
})

it('sharing has words', () => {
  expect([sharingOf(albert, {}), sharingOf(zh, {}), sharingOf(bert, {})]).toEqual([
    'all shared',
    'all shared',
    'not shared',
  ])
  expect(sharingOf({ ...albert, num_hidden_groups: 4 }, {})).toBe('4 groups')
  expect(sharingOf({ ...zh, num_hidden_groups: 4 }, { sharing: 'ffn' })).toBe('FFN shared')
  expect((['all', 'attention', 'none'] as const).map((one) => sharingWords(one, albert))).toEqual([
    'all shared',
    'attention shared',
    'not shared',
  ])
})
