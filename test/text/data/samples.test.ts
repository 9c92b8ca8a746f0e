import { expect, it } from 'vitest'
import { loadTokenizer } from '../../../src/api/tokenize/load-tokenizer.js'
import { languagesOf, SAMPLES, sampleTexts } from '../../../src/text/data/samples.js'
import { ZH_NEWS } from '../../helpers/shared.js'

it('sentences are there once, each a sentence', () => {
  for (const sentences of Object.values(SAMPLES)) {
    expect(new Set(sentences).size).toBe(sentences.length)
    expect(sentences.length).toBe(40)
    for (const sentence of sentences) expect(sentence).toMatch(/[。？.?]$/)
  }
})

it('texts are single sentences first, then pairs, none twice, as many as are asked for', () => {
  const texts = sampleTexts(['zh', 'en'], 300)
  expect(texts).toHaveLength(300)
  expect(new Set(texts.map((pair) => pair.join('|'))).size).toBe(300)
  expect(texts.slice(0, 80).every(([, second]) => second === null)).toBe(true)
  expect(texts.slice(80).every(([first, second]) => second !== null && second !== first)).toBe(true)
  expect(sampleTexts(['en'], 1e6)).toHaveLength(1600)
  expect(sampleTexts([], 5)).toEqual([])
})

it('a vocabulary tells its languages', () => {
  expect(languagesOf(loadTokenizer(ZH_NEWS))).toEqual(['zh'])
})
