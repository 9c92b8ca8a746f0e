import { describe, expect, it } from 'vitest'
import type { AlbertModel, ClassifierHead } from '../../../src/model/albert.js'
import { settleLabels } from '../../../src/model/load/labels.js'
import { errorOf } from '../../helpers/named-source.js'
import { tinyModel } from '../../helpers/tiny-model.js'

/** A classifier of three classes, and the labels of its configuration. */
function withLabels(names: readonly string[] | null, kind: ClassifierHead['kind'] = 'sequence'): AlbertModel {
  const { model } = tinyModel()
  const id2label = names === null ? null : Object.fromEntries(names.map((name, i) => [i, name]))
  return { ...model, config: { ...model.config, id2label }, classifier: { ...model.classifier!, kind } }
}
const settle = (model: AlbertModel, fields: Record<string, unknown> = {}) =>
  settleLabels({ file: 'config.json', fields }, model)

describe('labels of a configuration and classes of a classifier', () => {
  it.each<[string, AlbertModel, Record<string, unknown>]>([
    ['as many names', withLabels(['a', 'b', 'c']), {}],
    ['as many placeholders', withLabels(['LABEL_0', 'LABEL_1', 'LABEL_2']), {}],
    ['no names', withLabels(null), {}],
    ['the same number', withLabels(null), { num_labels: 3 }],
    ['a number that is none', withLabels(null), { num_labels: 'two' }],
    ['names count before a number', withLabels(['a', 'b', 'c']), { num_labels: 2 }],
    ['one score for any choice', withLabels(['a', 'b'], 'choice'), { num_labels: 2 }],
    ['no classifier', { ...withLabels(['a', 'b']), classifier: null }, { num_labels: 7 }],
  ])('agree: %s', (_, model, fields) => {
    expect(settle(model, fields)).toEqual({ config: model.config, notes: [] })
  })

  it('are placeholders that transformers writes for any model: left out', () => {
    const model = withLabels(['LABEL_0', 'LABEL_1'])
    expect(settle(model)).toEqual({
      config: { ...model.config, id2label: null },
      notes: ['id2label has 2 labels without names, but the classifier has 3 classes: they are left out'],
    })
  })

  it.each<[readonly string[] | null, Record<string, unknown>, string, string]>([
    [['a', 'b'], {}, 'id2label', 'id2label has 2'],
    [['LABEL_0', 'b'], {}, 'id2label', 'id2label has 2'],
    [['LABEL_0x', 'LABEL_1'], {}, 'id2label', 'id2label has 2'],
    [['MY_LABEL_0', 'LABEL_1'], {}, 'id2label', 'id2label has 2'],
    [null, { num_labels: 2 }, 'num_labels', 'num_labels is 2'],
  ])('differ: %j %j', (names, fields, field, words) => {
    expect(errorOf(() => settle(withLabels(names), fields))).toEqual({
      kind: 'malformed',
      code: 'labels-mismatch',
      message: `${words}, but the classifier has 3 classes`,
      file: 'config.json',
      field,
      tensor: 'source/classifier/output_weights',
      hint: 'source/classifier/output_weights has shape [3, 24]; 3 labels would fit',
    })
  })
})
