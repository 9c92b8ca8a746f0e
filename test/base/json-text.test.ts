import { describe, expect, it } from 'vitest'
import { parseJson, shownJson, toJsonLine, toJsonText } from '../../src/base/json-text.js'

describe('JSON text', () => {
  it('has escapes for what a terminal would obey, and says the same', () => {
    const value = { 'a\u009b': ['\u202e', 1, null] }
    expect(toJsonLine(value)).toBe('{"a\\u009b":["\\u202e",1,null]}')
    expect(JSON.parse(toJsonText(value))).toEqual(value)
  })

  it('is cut in a message if it is long', () => {
    expect([shownJson('gelu'), shownJson(undefined), shownJson(['a'.repeat(57)])]).toEqual([
      '"gelu"',
      'undefined',
      `["${'a'.repeat(57)}…`,
    ])
  })

  it('of others is read unless it nests so deep that what goes through it has no stack left', () => {
    const nested = (depth: number, open: string, close: string) => `${open.repeat(depth)}1${close.repeat(depth)}`
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      expect(JSON.stringify(parseJson(nested(127, open, close)))).toHaveLength(127 * (open.length + 1) + 1)
      for (const depth of [128, 200_000]) expect(() => parseJson(nested(depth, open, close))).toThrow(SyntaxError)
    }
    const brackets = '[{'.repeat(300)
    const text = JSON.stringify([`${brackets}"\\`, brackets, Array<number[]>(300).fill([1])])
    expect(parseJson(text)).toEqual(JSON.parse(text))
    expect(() => parseJson('[1')).toThrow(SyntaxError)
  })
})
