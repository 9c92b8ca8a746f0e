import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { escapeAll, escapeControl, escapeLines } from '../../src/base/escape.js'
import { toJsonText } from '../../src/base/json-text.js'

describe('escapeControl', () => {
  it.each([
    ['bert/embeddings/词向量', 'bert/embeddings/词向量'],
    ['a\u001b[2Jb', 'a\\u001b[2Jb'],
    ['a\r\nb\tc\u007f', 'a\\u000d\\u000ab\\u0009c\\u007f'],
    ['\u0085\u009b', '\\u0085\\u009b'],
    ['\u202eevil\u2066', '\\u202eevil\\u2066'],
    ['a\u200bb\ufeff', 'a\\u200bb\\ufeff'],
    ['\u2028', '\\u2028'],
    ['\ud800x', '\\ud800x'],
    ['\u{e0041}', '\\udb40\\udc41'],
    ['😀', '😀'],
  ])('%j → %s', (raw, escaped) => {
    expect(escapeControl(raw)).toBe(escaped)
  })

  it('leaves nothing invisible, and printable text alone', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const escaped = escapeControl(text)
        expect(escaped).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
        expect(escapeControl(escaped)).toBe(escaped)
      }),
    )
  })
})

describe('escapeAll', () => {
  const safe = { names: ['bert/词', '😀'], shape: [1, 2], none: null, inner: { ok: true } }

  it('escapes every text and key, however deep, and copies what it changes', () => {
    const raw = { safe, 'a\u001b': [['b\u202e', 1], { c: '\u0085' }] }
    const copy = structuredClone(raw)
    expect(escapeAll(raw)).toEqual({ safe, 'a\\u001b': [['b\\u202e', 1], { c: '\\u0085' }] })
    expect(raw).toEqual(copy)
  })

  it('gives what needs no escape as it is', () => {
    expect(escapeAll(safe)).toBe(safe)
    expect(escapeAll({ safe, text: '\n' }).safe).toBe(safe)
    const values = new Float32Array([1, 2])
    expect(escapeAll({ values, text: '\n' }).values).toBe(values)
  })
})

describe('escapeLines', () => {
  it('keeps breaks and indents what follows', () => {
    expect(escapeLines('a\nerror: b\u001b')).toBe('a\n  error: b\\u001b')
  })
})

describe('toJsonText', () => {
  it('means the same to a parser', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string({ unit: 'binary' }), (value, text) => {
        const document = { value, text }
        const printed = toJsonText(document)
        expect(JSON.parse(printed)).toEqual(JSON.parse(JSON.stringify(document)))
        expect(printed.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
      }),
    )
  })
})
