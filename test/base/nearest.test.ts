import { expect, it } from 'vitest'
import { nearest } from '../../src/base/nearest.js'

const COMMANDS = ['convert', 'inspect', 'verify', 'params', 'predict']

it.each([
  ['conver', 'convert'],
  ['inpsect', 'inspect'],
  ['Verify', 'verify'],
  ['prdict', 'predict'],
])('%s is taken for %s', (word, name) => {
  expect(nearest(word, COMMANDS)).toBe(name)
})

it.each(['', 'x', 'c', 'train', 'convolution', 'reverting'])('%j is near no command', (word) => {
  expect(nearest(word, COMMANDS)).toBeNull()
})
