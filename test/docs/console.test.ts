import { expect, it } from 'vitest'
import { matchesOutput, readSessions } from './console.js'

it('finds commands and what they print', () => {
  const text = 'a\n\n```console\n$ x --y\none\ntwo\n$ z\n```\n\n```sh\n$ not this\n```\n'
  expect(readSessions(text)).toEqual([
    [
      { command: 'x --y', output: ['one', 'two'] },
      { command: 'z', output: [] },
    ],
  ])
})

it.each([
  [['a', 'b'], ['a', 'b'], true],
  [['a', 'b'], ['a'], false],
  [['a', 'b', 'c'], ['a', '…', 'c'], true],
  [['a', 'b', 'c'], ['…', 'd'], false],
  [['a 12 b'], ['a … b'], true],
  [['a 12 c'], ['a … b'], false],
  [['anything'], [], false],
  [[''], [], true],
])('%j against %j: %s', (printed, expected, verdict) => {
  expect(matchesOutput(printed, expected)).toBe(verdict)
})
