import { describe, expect, it } from 'vitest'
import { findPreset, PRESETS } from '../../../src/model/accounting/presets.js'

describe('presets', () => {
  it('have names of their own and widths that the heads divide', () => {
    expect(new Set(PRESETS.map((p) => p.name)).size).toBe(PRESETS.length)
    for (const { config } of PRESETS) expect(config.hidden_size % config.num_attention_heads).toBe(0)
  })

  it('have the published sizes', () => {
    expect(findPreset('albert_tiny_zh')?.config).toMatchObject({
      vocab_size: 21128,
      embedding_size: 128,
      hidden_size: 312,
      num_hidden_layers: 4,
      intermediate_size: 1248,
      num_attention_heads: 12,
    })
    expect(findPreset('albert-xlarge-zh')?.config.num_attention_heads).toBe(32)
    expect(findPreset('albert-xlarge-v2')?.config.num_attention_heads).toBe(16)
    expect(findPreset('albert-xxlarge')?.config).toMatchObject({ hidden_size: 4096, num_hidden_layers: 12 })
    expect(findPreset('bert-base-chinese')?.config).toMatchObject({ embedding_size: 768, vocab_size: 21128 })
    expect(findPreset('gpt-2')).toBeNull()
  })
})
