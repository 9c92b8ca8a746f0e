import { describe, expect, it } from 'vitest'
import { evaluateAnswers } from '../../../src/api/inference/qa/evaluate-answers.js'
import type { PassageAnswer } from '../../../src/api/inference/qa/predict-answers.js'
import { evaluateTags } from '../../../src/api/inference/tags/evaluate-tags.js'
import type { Tagging } from '../../../src/api/inference/tags/predict-tags.js'
import type { BadLine } from '../../../src/text/data/examples.js'

const LABELS = ['O', 'B-PER', 'I-PER', 'B-LOC', 'I-LOC']

async function* taggings(rows: readonly (readonly [given: string, found: string])[]): AsyncGenerator<Tagging> {
  for (const [i, [given, found]] of rows.entries()) {
    const tokens = found.split(' ').map((tag) => ({ token: 'a', start: 0, end: 1, tag, probability: 1 }))
    const logits = tokens.map(() => new Float32Array(LABELS.length))
    yield await Promise.resolve({
      line: i + 1,
      text: 'a',
      reading: 'tags',
      tokens,
      spans: null,
      given: given.split(' '),
      logits,
    })
  }
}

describe('tags', () => {
  it('are scored as seqeval does; truncated words count for nothing', async () => {
    const rows = [
      ['B-PER I-PER O B-LOC', 'B-PER I-PER O B-PER'],
      ['O B-LOC I-LOC O', 'O B-LOC O O'],
      ['B-LOC B-PER O O', 'B-LOC'],
    ] as const
    const scores = await evaluateTags(taggings(rows), LABELS, () => undefined)
    expect([scores.sentences, scores.words, scores.truncatedWords, scores.bad]).toEqual([3, 9, 3, 0])
    expect(scores.accuracy).toBeCloseTo(7 / 9, 12)
    expect(scores.loss).toBeCloseTo(Math.log(5), 6)
    expect(scores.spans!.micro).toEqual({ precision: 0.5, recall: 0.5, f1: 0.5 })
    expect(scores.spans!.types.map(({ label, support, predicted }) => [label, support, predicted])).toEqual([
      ['LOC', 3, 2],
      ['PER', 1, 2],
    ])
    expect(scores.spans!.macro.f1).toBeCloseTo((0.4 + 2 / 3) / 2, 12)
  })

  it('that the model does not know at all are an error', async () => {
    const found = evaluateTags(taggings([['NOUN', 'O']]), LABELS, () => undefined)
    await expect(found).rejects.toMatchObject({ code: 'labels-mismatch' })
  })
})

async function* answers(
  rows: readonly (readonly [answer: string, given: readonly string[] | null])[],
): AsyncGenerator<PassageAnswer | BadLine> {
  for (const [i, [answer, given]] of rows.entries()) {
    const zero = { start: 0, end: 0, probability: 1, nullDifference: 0 }
    yield await Promise.resolve({ line: i + 1, reading: 'spans', id: null, question: 'q', answer, given, ...zero })
  }
}

describe('answers', () => {
  it('are scored as SQuAD does, with Han characters as words', async () => {
    const bad: number[] = []
    const rows = [
      ['The Denver Broncos!', ['denver broncos', 'Broncos']],
      ['in Denver', ['Denver, Colorado']],
      ['北京市', ['北京']],
      ['', []],
      ['something', []],
      ['x', null],
    ] as const
    const scores = await evaluateAnswers(answers(rows), ({ line }) => bad.push(line))
    expect(bad).toEqual([6])
    expect([scores.questions, scores.withAnswer.questions, scores.withoutAnswer.questions]).toEqual([5, 3, 2])
    expect(scores.exactMatch).toBeCloseTo(2 / 5, 12)
    expect(scores.f1).toBeCloseTo((1 + 0.5 + 0.8 + 1 + 0) / 5, 12)
    expect(scores.withoutAnswer).toEqual({ questions: 2, exactMatch: 0.5, f1: 0.5 })
  })
})
