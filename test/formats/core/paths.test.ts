import { posix } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { basename, dirname, join } from '../../../src/formats/core/paths.js'

const path = fc.array(fc.constantFrom('a', 'model.ckpt', '.', '..', '', 'ü b')).map((parts) => parts.join('/'))

describe('paths', () => {
  it('answer as those of node:path do', () => {
    fc.assert(
      fc.property(path, path, path, (a, b, c) => {
        expect(join(dirname(a))).toBe(join(posix.dirname(a)))
        expect(dirname(join(a, b))).toBe(posix.dirname(join(a, b)))
        expect(basename(a)).toBe(posix.basename(a))
        expect(join(a, b, c)).toBe(posix.join(a, b, c).replace(/(?<=.)\/$/, ''))
      }),
    )
  })
})
