import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  parseStrict,
  RawNumber,
  StrictJsonError,
  StrictObject,
  type StrictValue,
} from '../../../src/formats/core/json.js'

/** What `JSON.parse` makes of the same text. */
function plain(value: StrictValue): unknown {
  if (value instanceof RawNumber) return Number(value.text)
  if (value instanceof StrictObject) return Object.fromEntries(value.entries.map(([key, v]) => [key, plain(v)]))
  return Array.isArray(value) ? value.map(plain) : value
}

it('reads what JSON.parse reads', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(plain(parseStrict(text))).toEqual(plain(parseStrict(JSON.stringify(JSON.parse(text)))))
      expect(plain(parseStrict(text))).toEqual(JSON.parse(text))
    }),
  )
})

it.each(['"', '"a', '"\\x"', '"\\u12"', '"\n"', "'a'", '"\\"', '{a:1}'])('%j is not a valid string', (text) => {
  expect(() => parseStrict(text)).toThrow(StrictJsonError)
})

it('strings may be as long as a header', () => {
  expect(parseStrict(`"${'a'.repeat(40_000_000)}"`)).toHaveLength(40_000_000)
  expect(parseStrict(`"${'a\\n'.repeat(2_000_000)}"`)).toHaveLength(4_000_000)
})

it('values that fill the memory are refused', () => {
  expect(() => parseStrict(`[${'[],'.repeat(5_000_000)}[]]`)).toThrow('too many values')
})
