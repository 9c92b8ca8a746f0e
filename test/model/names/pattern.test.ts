import { describe, expect, it } from 'vitest'
import { namePattern } from '../../../src/model/names/pattern.js'

const NAMES = [
  'bert/encoder/adapter',
  'bert/encoder/adapter/kernel',
  'bert/encoder/adapter_2/kernel',
  'bert.encoder.adapter.kernel',
  'bertXencoder.adapter.kernel',
  'a+b(1)$',
  'head.weight',
]

describe('a pattern of names', () => {
  it.each([
    ['bert/encoder/adapter', ['bert/encoder/adapter', 'bert/encoder/adapter/kernel']],
    ['bert/encoder/adapter/', ['bert/encoder/adapter', 'bert/encoder/adapter/kernel']],
    ['bert.encoder.adapter.', ['bert.encoder.adapter.kernel']],
    ['bert.encoder', ['bert.encoder.adapter.kernel']],
    ['*adapter*', NAMES.filter((name) => name.includes('adapter'))],
    ['*kernel', NAMES.filter((name) => name.endsWith('kernel'))],
    ['bert/*/kernel', ['bert/encoder/adapter/kernel', 'bert/encoder/adapter_2/kernel']],
    ['bert.*', ['bert.encoder.adapter.kernel']],
    ['*', NAMES],
    ['a+b(1)$', ['a+b(1)$']],
    ['head', ['head.weight']],
    ['hea', []],
    ['weight', []],
  ] as const)('%s fits the name, what is below it, and what a star stands for', (pattern, expected) => {
    expect(NAMES.filter(namePattern(pattern))).toEqual(expected)
  })
})
