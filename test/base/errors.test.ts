import { expect, it } from 'vitest'
import { malformed } from '../../src/base/errors.js'

it('an error names the path that the user gave in place of a temporary folder', () => {
  const error = malformed('/tmp/x/a is short', { code: 'header-invalid', file: '/tmp/x/a' })
  expect(error.withPath('/tmp/x', 'my.zip').toJSON()).toMatchObject({ message: 'my.zip/a is short', file: 'my.zip/a' })
  expect(error.withPath('/tmp/y', 'my.zip')).toBe(error)
})

it('an error with another message keeps its other parts', () => {
  const cause = new Error('why')
  const error = malformed('wrong', { code: 'header-invalid', file: 'a', tensor: 't', hint: 'do', cause })
  const moved = error.with({ file: 'b' })
  expect(moved.toJSON()).toEqual({
    kind: 'malformed',
    code: 'header-invalid',
    message: 'wrong',
    file: 'b',
    tensor: 't',
    hint: 'do',
  })
  expect(moved.cause).toBe(cause)
  expect(error.with({ message: 'other', hint: 'go' }).toJSON()).toMatchObject({
    message: 'other',
    file: 'a',
    hint: 'go',
  })
  expect(malformed('wrong', { code: 'header-invalid' }).with({}).toJSON()).toEqual({
    kind: 'malformed',
    code: 'header-invalid',
    message: 'wrong',
  })
})
