import { describe, expect, it } from 'vitest'
import { identify } from '../../../src/model/names/identify.js'
import { errorOf, namedSource, type Shapes } from '../../helpers/named-source.js'

/** Files of more names than any model has. They take seconds, so that mutants are not tried on them. */

const of = (shapes: Shapes) => namedSource(shapes)
const shaped = (...names: string[]): Shapes => Object.fromEntries(names.map((name) => [name, [2]]))
const refused = (shapes: Shapes) => errorOf(() => identify(of(shapes)))

describe('a file of no family', () => {
  it('is compared with families by its first tensors', () => {
    const many = shaped(...Array.from({ length: 4096 }, (_, i) => `x${i}`))
    const last = shaped('bert/embeddings/word_embeddings')
    expect(refused({ ...many, ...last }).hint).toMatch(/^known families/)
    expect(refused({ ...last, ...many }).hint).toMatch(/^nearest is/)
    const { x0: _, ...fewer } = many
    expect(refused({ ...fewer, ...last }).hint).toMatch(/^nearest is/)
  })

  it('has more parameters than any model', () => {
    const names = Array.from({ length: 20_001 }, (_, l) => `bert.encoder.layer.${l}.output.dense.bias`)
    expect(refused(shaped(...names))).toEqual({
      kind: 'malformed',
      code: 'limit-exceeded',
      message: 'the file has the names of more than 20000 parameters of one model',
      file: 'weights',
      hint: 'no model is as deep: the file was made to do harm',
    })
    expect(identify(of(shaped(...names.slice(1)))).mapped.size).toBe(20_000)
  })
})
