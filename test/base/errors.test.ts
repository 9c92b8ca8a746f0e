import { expect, it } from 'vitest'
import { malformed } from '../../src/base/errors.js'

it('an error names what a person gave for a folder of ours', () => {
  const error = malformed('/tmp/x/a is short', { file: '/tmp/x/a' })
  expect(error.renaming('/tmp/x', 'my.zip').toJSON()).toMatchObject({ message: 'my.zip/a is short', file: 'my.zip/a' })
  expect(error.renaming('/tmp/y', 'my.zip')).toBe(error)
})

it('an error said otherwise keeps what is not said', () => {
  const cause = new Error('why')
  const error = malformed('wrong', { file: 'a', tensor: 't', hint: 'do', cause })
  const moved = error.but({ file: 'b' })
  expect(moved.toJSON()).toEqual({ kind: 'malformed', message: 'wrong', file: 'b', tensor: 't', hint: 'do' })
  expect(moved.cause).toBe(cause)
  expect(error.but({ message: 'other', hint: 'go' }).toJSON()).toMatchObject({
    message: 'other',
    file: 'a',
    hint: 'go',
  })
  expect(malformed('wrong').but({}).toJSON()).toEqual({ kind: 'malformed', message: 'wrong' })
})
