import { expect, it } from 'vitest'
import { ExampleReader, isBad } from '../../../src/text/data/examples.js'

// The texts that CLUEbenchmark's run_classifier makes of its tasks' records.

const read = (record: object, options = {}): unknown => {
  const text = JSON.stringify(record)
  const example = new ExampleReader({ format: 'jsonl', ...options }).read({
    number: 1,
    text,
    last: false,
    end: 0,
  } as never)
  if (example === null || isBad(example)) return example?.reason
  const { text: a, textB, label } = example
  return [a, textB, label]
}

const wsc = (span1: [string, number], span2: [string, number], more = {}): object => ({
  text: '😀妈妈把床搬了，它很重',
  target: { span1_text: span1[0], span1_index: span1[1], span2_text: span2[0], span2_index: span2[1] },
  label: 'true',
  ...more,
})

it.each<[string, object, unknown]>([
  ['CSL', { id: 1, abst: '目的', keyword: ['医学', '方法'], label: '1' }, ['医学 方法', '目的', '1']],
  ['WSC', wsc(['床', 4], ['它', 8]), ['😀妈妈把_床_搬了，[它]很重', null, 'true']],
  ['WSC, the pronoun first', wsc(['它', 8], ['妈妈', 1]), ['😀[妈妈]把床搬了，_它_很重', null, 'true']],
  [
    'WSC, a label that is no string',
    wsc(['床', 4], ['它', 8], { label: false }),
    ['😀妈妈把_床_搬了，[它]很重', null, 'false'],
  ],
  ['CLUENER', { text: '浙商银行', label: { company: { 浙商银行: [[0, 3]] } } }, ['浙商银行', null, null]],
  ['TNEWS', { label: '102', label_desc: 'news', sentence: '江疏影', keywords: '' }, ['江疏影', null, '102']],
  ['AFQMC', { sentence1: '借呗', sentence2: '花呗', label: '0' }, ['借呗', '花呗', '0']],
])('reads a record of %s', (_, record, texts) => {
  expect(read(record)).toEqual(texts)
})

it('says that a span is not where WSC has it, and reads columns as asked', () => {
  expect(read(wsc(['床', 5], ['它', 8]))).toMatch(/床 begins at character 5/)
  expect(read(wsc(['床', 4], ['它', 8]), { textColumn: 'text' })).toEqual(['😀妈妈把床搬了，它很重', null, 'true'])
})
