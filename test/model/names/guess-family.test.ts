import { describe, expect, it } from 'vitest'
import { configSpeaksFor, guessFamily } from '../../../src/model/names/guess-family.js'
import { NAME_TABLES } from '../../../src/model/names/tables.js'

const CASES = [
  [{ model_type: 'albert', num_hidden_groups: 1 }, 'hf', 'albert'],
  [{ model_type: 'bert', hidden_size: 8 }, 'hf', 'bert'],
  [{ embedding_size: 4, num_hidden_groups: 1 }, 'google', 'albert'],
  [{ embedding_size: 4, net_structure_type: 0 }, 'google', 'albert'],
  [{ embedding_size: 4, ln_type: 'preln' }, 'zh', 'albert'],
  [{ embedding_size: 4 }, 'zh', 'albert'],
  [{ hidden_size: 8 }, 'bert', 'bert'],
] as const

describe('a configuration with the fields', () => {
  it.each(CASES)('%j is taken for %s %s', (fields, family, architecture) => {
    expect(guessFamily({ file: 'config.json', fields })).toMatchObject({ family, architecture })
  })

  it.each(CASES)('%j never speaks against the family that it is taken for', (fields, family, architecture) => {
    const own = NAME_TABLES.filter((table) => table.family === family && table.architecture === architecture)
    expect(own.length).toBeGreaterThan(0)
    for (const table of own) expect(configSpeaksFor(table, fields)).not.toBe(false)
  })

  it('of albert_zh speaks against Google, and the other way round', () => {
    expect(configSpeaksFor({ family: 'google', architecture: 'albert' }, { ln_type: 'postln' })).toBe(false)
    expect(configSpeaksFor({ family: 'zh', architecture: 'albert' }, { num_hidden_groups: 1 })).toBe(false)
    expect(configSpeaksFor({ family: 'zh', architecture: 'albert' }, { model_type: 'albert' })).toBe(true)
    expect(configSpeaksFor({ family: 'bert', architecture: 'bert' }, { vocab_size: 5 })).toBeNull()
  })
})
