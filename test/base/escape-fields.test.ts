import { describe, expect, it } from 'vitest'
import { csvField, escapeXml, fieldsLine, onlyXml, printable, tsvField } from '../../src/base/escape.js'

describe('fields', () => {
  it('of TSV hold no tab, no line end and nothing invisible, but joiners of words and emoji', () => {
    expect(tsvField('a\tb\nc\u001b[31m\u202e')).toBe(String.raw`a\u0009b\u000ac\u001b[31m\u202e`)
    expect(tsvField('می\u200cخواهم 👩\u200d💻')).toBe('می\u200cخواهم 👩\u200d💻')
  })

  it.each([
    ['=1+1', "'=1+1"],
    ['+cmd', "'+cmd"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['-cmd', "'-cmd"],
    ['-1e-5', '-1e-5'],
    ['-.', "'-."],
    ['＝1', "'＝1"],
    ['\t=1', String.raw`\u0009=1`],
    ['a,b', '"a,b"'],
    ['=a,"b"', `"'=a,""b"""`],
    ['plain', 'plain'],
  ])('of CSV run no formula: %j', (text, field) => {
    expect(csvField(text)).toBe(field)
  })

  it('make lines', () => {
    expect(fieldsLine('tsv', ['a,b', '1'])).toBe('a,b\t1')
    expect(fieldsLine('csv', ['a,b', '1'])).toBe('"a,b",1')
  })
})

it('XML has only what XML may have', () => {
  expect(escapeXml('<\u0001\ud800\uffff&')).toBe('&#60;\ufffd\ufffd\ufffd&#38;')
  expect(onlyXml('<a>\u001b</a>')).toBe('<a>\ufffd</a>')
})

it('a text that is printed keeps its lines and tabs, and gives no orders', () => {
  expect(printable('a\tb\r\nc\n\u001b[31m\u202e\rd')).toBe('a\tb\r\nc\n' + String.raw`\u001b[31m\u202e\u000dd`)
})
