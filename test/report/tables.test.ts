import { describe, expect, it } from 'vitest'
import { displayWidth } from '../../src/report/display-width.js'
import { table, wrap } from '../../src/report/table.js'
import { numberCell, tableCsv, tablesMarkdown, tablesText, textCell, type DataTable } from '../../src/report/tables.js'

const data: DataTable = {
  title: '模型 models',
  columns: [{ title: 'name' }, { title: 'remark' }, { title: 'stored', number: true }, { title: 'used', number: true }],
  rows: [
    [
      textCell('体育|新闻'),
      textCell('a remark that is long enough to be wrapped in a narrow terminal'),
      numberCell(12345, (n) => n.toFixed(1)),
      numberCell(2, String),
    ],
    [textCell('=SUM(A1)'), textCell('say "hi", twice'), numberCell(null, String), numberCell(-3.5, String)],
    [textCell('evil\u001b[31m'), textCell('x'), numberCell(1, String), numberCell(1, String)],
  ],
  notes: ['a note with several words in it'],
}

describe('tables in a terminal', () => {
  it.each([30, 40, 60, 80, 200])('fit %d columns', (width) => {
    const lines = tablesText([data], width).split('\n')
    expect(Math.max(...lines.map(displayWidth))).toBeLessThanOrEqual(width)
    for (const word of ['stored', 'used', '12345.0', '-3.5', 'terminal']) expect(lines.join('\n')).toContain(word)
  })

  it('repeat the first column if they are cut in two', () => {
    const text = tablesText([data], 32)
    expect(text.match(/^name/gm)!.length).toBeGreaterThan(1)
    expect(text.match(/体育/g)!.length).toBe(text.match(/^name/gm)!.length)
  })

  it('have no limit in a pipe, and no control characters ever', () => {
    const text = tablesText([data], Infinity)
    expect(text).toContain('a remark that is long enough to be wrapped in a narrow terminal')
    expect(text).not.toContain('\u001b')
  })
})

describe('Markdown and CSV', () => {
  it('escape what would end a cell', () => {
    const text = tablesMarkdown([data])
    expect(text).toContain('| 体育\\|新闻 |')
    expect(text).toContain('| --- | --- | ---: | ---: |')
    expect(text).not.toContain('\u001b')
  })

  it('CSV has the values, quoted by RFC 4180, and no formulas', () => {
    expect(tableCsv(data).split('\r\n')).toEqual([
      'name,remark,stored,used',
      '体育|新闻,a remark that is long enough to be wrapped in a narrow terminal,12345,2',
      `'=SUM(A1),"say ""hi"", twice",,-3.5`,
      'evil\\u001b[31m,x,1,1',
      '',
    ])
  })
})

describe('wrap', () => {
  it('breaks between words, and within those that are too long', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three'])
    expect(wrap('abcdefgh ij', 4)).toEqual(['abcd', 'efgh', 'ij'])
    expect(wrap('新闻分类', 4)).toEqual(['新闻', '分类'])
  })
})

describe('numbers as people read them', () => {
  it('have separators and no exponent', async () => {
    const { bytes, significant } = await import('../../src/report/format.js')
    const { flops } = await import('../../src/report/text/params.js')
    expect([9.87, 99.96, 999.6, 4100].map(significant)).toEqual(['9.87', '100', '1,000', '4,100'])
    expect(flops(99.96e9)).toBe('100 GFLOP')
    expect(bytes(999_600)).toBe('1,000 kB')
  })
})

describe('a table that is wider than the terminal', () => {
  const rows = [
    ['bert/embeddings/word_embeddings', 'float32', '[21128, 128]', 'embeddings.words'],
    ['bert/pooler/dense/kernel', 'float32', '[312, 312]', 'pooler.kernel'],
  ]
  const options = { head: ['variable', 'dtype', 'shape', 'slot'], right: [2], spare: [3, 1] }

  it.each([40, 60, 80, 120, 200])('fits %i columns, without a wrapped row while a column can be spared', (width) => {
    const lines = table(rows, { ...options, width }).split('\n')
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width)
    if (width >= 60) expect(lines).toHaveLength(3)
  })

  it('leaves out the columns in their order, and keeps the rest aligned', () => {
    expect(table(rows, { ...options, width: 60 }).split('\n')[0]).toBe(
      'variable                         dtype           shape',
    )
    expect(table(rows, { ...options, width: 50 }).split('\n')[0]).toBe('variable                                shape')
    expect(table(rows, options).split('\n')[0]).toContain('slot')
  })
})
