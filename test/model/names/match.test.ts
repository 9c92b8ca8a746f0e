import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matchName, skipReason } from '../../../src/model/names/match.js'
import { fillPattern } from '../../../src/model/names/placeholders.js'
import { NAME_TABLES } from '../../../src/model/names/tables.js'

describe.each(NAME_TABLES.map((table) => [table.title, table] as const))('%s', (_, table) => {
  it('every row reads what it writes, with every prefix and any indices', () => {
    const index = fc.nat(999)
    fc.assert(
      fc.property(
        fc.constantFrom(...table.rows),
        fc.constantFrom(...table.prefixes),
        index,
        index,
        index,
        (row, prefix, any, g, j) => {
          // Where inner layers are counted through all groups, their number follows from the others.
          const inner = j + 1
          const through = table.inner !== undefined
          const l = through && row.slot.includes('{g}') ? g * inner + j : any
          const n = 2 * l + (row.name.includes('{odd}') ? 1 : 2)
          const name = (row.prefixed ? prefix : '') + fillPattern(row.name, { l, g, j, k: l % 3, n })
          const match = matchName(through ? { ...table, inner } : table, name)
          expect(match?.slot).toBe(fillPattern(row.slot, { l, g, j }))
          expect(match?.row.dims).toEqual(row.dims)
        },
      ),
    )
  })

  it('every prefix ends a part of a name, as the index of names by their last part needs', () => {
    expect(table.prefixes.filter((prefix) => !/^$|[./]$/.test(prefix))).toEqual([])
  })

  it('no slot has two names, and no name two slots', () => {
    const pairs = table.rows.map(({ slot, name }) => `${slot} ${name}`)
    expect(new Set(pairs).size).toBe(pairs.length)
    const names = table.rows.map(({ name, prefixed }) => `${String(prefixed)} ${name}`)
    expect(new Set(names).size).toBe(names.length)
  })

  it('optimizer state is skipped and nothing else', () => {
    const variable = String(table.prefixes[0]) + fillPattern(table.rows[0]!.name, {})
    expect(skipReason(table, variable)).toBeNull()
    if (table.configInferable === true) expect(skipReason(table, 'optimizer/vars/7')).toBe('optimizer state')
    // PyTorch keeps the state of optimizers in a separate file, for models of every family.
    else if (table.family === 'hf' || table.prefixes[0]?.endsWith('.') === true)
      expect(skipReason(table, `embeddings${String(table.prefixes[0]).slice(-1)}position_ids`)).toBe(
        'buffer of indices',
      )
    else
      for (const slot of ['adam_m', 'adam_v', 'lamb_m', 'lamb_v'])
        expect(skipReason(table, `${variable}/${slot}`)).toBe('optimizer state')
  })

  it('a name with more before or after it is another', () => {
    const name = String(table.prefixes[0]) + fillPattern(table.rows[0]!.name, {})
    for (const other of [`x${name}`, `${name}x`, `${name}/x`, name.toUpperCase()])
      expect(matchName(table, other)).toBeNull()
  })
})

describe('the state of an optimizer', () => {
  const google = NAME_TABLES.find((table) => table.title === 'google-research ALBERT')!
  it.each([
    'optimizer/_variables/2',
    'bert/x/kernel/Ftrl_1',
    'bert/x/kernel/Adadelta',
    'model/kernel/.OPTIMIZER_SLOT/optimizer/m',
    'Adam/bert/x/kernel/m',
    'bert/x/kernel/Adafactor_1',
    'bert/x/kernel/vr',
    'bert/x/kernel_slot_vc',
  ])('%s is of an optimizer', (name) => {
    expect(skipReason(google, name)).toBe('optimizer state')
  })
})

describe('heads of transformers for TensorFlow in checkpoints and SavedModels', () => {
  const slotOf = (title: string, name: string): string | undefined =>
    matchName(
      NAME_TABLES.find((table) => table.title === title)!,
      name,
    )?.slot

  it.each([
    [
      'Hugging Face ALBERT for TensorFlow',
      'tf_albert_for_sequence_classification/classifier/kernel',
      'classifier/output_weights',
    ],
    ['Hugging Face ALBERT for TensorFlow', 'tf_albert_for_pre_training_1/predictions/decoder/bias', 'mlm/decoder_bias'],
    ['Hugging Face BERT for TensorFlow', 'tf_bert_for_question_answering/qa_outputs/bias', 'qa/output_bias'],
    [
      'Hugging Face BERT for TensorFlow',
      'tf_bert_for_pre_training/nsp___cls/seq_relationship/kernel',
      'sop/output_weights',
    ],
  ])('%s: %s', (title, name, slot) => {
    expect(slotOf(title, name)).toBe(slot)
  })
})
