import { describe, expect, it } from 'vitest'
import { accountOf } from '../../../src/model/accounting/account.js'
import { guessFamily } from '../../../src/model/names/guess-family.js'
import { findPreset } from '../../../src/model/accounting/presets.js'
import { slotsOf } from '../../../src/model/accounting/slots.js'
import { whatIfs } from '../../../src/model/accounting/what-if.js'

const config = (name: string) => findPreset(name)!.config

describe('what if', () => {
  it('tries every combination, one model each', () => {
    const imagined = whatIfs(config('albert-base'), {}, { embeddingSizes: [64, 768], sharings: ['all', 'none'] })
    expect(imagined.map((m) => m.label)).toEqual([
      'E 64, all shared',
      'E 768, all shared',
      'E 64, not shared',
      'E 768, not shared',
    ])
    const counts = imagined.map((m) => Math.round(accountOf(slotsOf(m.config, m.options)).stored / 1e6))
    expect(counts).toEqual([10, 31, 88, 109])
  })

  it('keeps the width of heads and the ratio of the FFN for another hidden size', () => {
    const [wide] = whatIfs(config('albert-base'), {}, { hiddenSizes: [1024] })
    expect(wide?.config).toMatchObject({ hidden_size: 1024, num_attention_heads: 16, intermediate_size: 4096 })
  })

  it('gives BERT the embeddings of ALBERT if it is asked to factorise', () => {
    const [factorised] = whatIfs(config('bert-base'), {}, { embeddingSizes: [128] })
    expect(factorised?.notes.join()).toContain('BERT does not factorise')
    const slots = slotsOf(factorised!.config, factorised!.options)
    expect(slots.find((s) => s.slot === 'embeddings/word_embeddings')?.shape).toEqual([30522, 128])
    expect(slots.filter((s) => s.slot.endsWith('attention/query/kernel'))).toHaveLength(12)
  })

  it('takes groups, at most one a layer', () => {
    const [six] = whatIfs(config('albert-base'), {}, { groups: [6] })
    expect(accountOf(slotsOf(six!.config, six!.options)).lines.find((l) => l.key === 'ffn/output')?.copies).toBe(6)
    expect(() => whatIfs(config('albert-base'), {}, { groups: [13] })).toThrow(/more than 12 layers/)
  })

  it('refuses more than a table can show', () => {
    const sizes = Array.from({ length: 49 }, (_, i) => i + 1)
    expect(() => whatIfs(config('albert-base'), {}, { vocabularies: sizes })).toThrow(/combinations/)
  })
})

describe('the family of a configuration', () => {
  it.each([
    [{ model_type: 'albert', num_hidden_groups: 1 }, 'hf', 'albert'],
    [{ model_type: 'bert' }, 'hf', 'bert'],
    [{ num_hidden_groups: 1, embedding_size: 128 }, 'google', 'albert'],
    [{ embedding_size: 128, ln_type: 'postln' }, 'zh', 'albert'],
    [{ embedding_size: 128 }, 'zh', 'albert'],
    [{ hidden_size: 768 }, 'bert', 'bert'],
  ] as const)('%j is %s', (fields, family, architecture) => {
    expect(guessFamily({ file: 'config.json', fields })).toMatchObject({ family, architecture })
  })
})
