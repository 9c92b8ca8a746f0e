import { describe, expect, it } from 'vitest'
import { identify } from '../../../src/model/names/identify.js'
import { errorOf, modelShapes, namedSource, type Shapes } from '../../helpers/named-source.js'

/** Files that almost have a family. */

const without = (shapes: Shapes, pattern: RegExp): Shapes =>
  Object.fromEntries(Object.entries(shapes).filter(([name]) => !pattern.test(name)))
const refused = (shapes: Shapes) => errorOf(() => identify(namedSource(shapes)))

describe('a file that lacks the sign of its family', () => {
  const KERAS = modelShapes('tf-models ALBERT (Keras, TF-Hub)', { split: true })
  it.each<[RegExp, string]>([
    [/query\/kernel/, '24 names fit, but transformer/self_attention/query/kernel is missing'],
    [
      /query\/(kernel|bias)/,
      '23 names fit, but transformer/self_attention/query/kernel, transformer/self_attention/query/bias are missing',
    ],
    [
      /(query|key)\/kernel|query\/bias/,
      '22 names fit, but transformer/self_attention/query/kernel, transformer/self_attention/query/bias and 1 more are missing',
    ],
  ])('without %s is said to be near', (pattern, words) => {
    expect(refused(without(KERAS, pattern)).hint).toBe(`nearest is tf-models ALBERT (Keras, TF-Hub): ${words}`)
  })
})

it('a sign alone is no family', () => {
  expect(refused({ 'bert/encoder/layer_0/odd': [1] })).toMatchObject({
    code: 'family-unknown',
    message: 'no known model family has these names: bert/encoder/layer_0/odd',
  })
})

it('an averaged copy of a model is not taken in its place', () => {
  const own = without(modelShapes('Hugging Face BERT'), /word_embeddings/)
  const copy = modelShapes('Hugging Face BERT', { scope: 'ema_model.' })
  const found = identify(namedSource({ ...copy, ...own }))
  expect([...found.mapped.values()].map(({ variable }) => variable)).toEqual(Object.keys(own))
  expect(found.skipped).toHaveLength(Object.keys(copy).length)
})

it('names of Keras have no scope of their own', () => {
  const shapes = modelShapes('keras-hub BERT', { scope: 'mine/', prefix: 'layers/' })
  expect(refused(shapes).code).toBe('family-unknown')
})
