import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pipeline } from '../../src/api/pipeline/pipeline.js'
import { loadTokenizer } from '../../src/api/tokenize/load-tokenizer.js'
import { predictFile } from '../../src/api/inference/predict-file.js'
import { evaluateTags } from '../../src/api/inference/tags/evaluate-tags.js'
import type { Tagging } from '../../src/api/inference/tags/predict-tags.js'
import { PASSAGE, QUESTIONS, TAGS, TEXTS, writeReadingModel } from '../helpers/reading-models.js'
import { ask, TRANSFORMERS } from './python.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-pipelines-'))
const [tagger, answerer] = [join(folder, 'tagger'), join(folder, 'answerer')]
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

interface Genuine {
  readonly runs: readonly (readonly unknown[])[]
  readonly scores: readonly number[] | null
}

async function* taggings(pairs: readonly (readonly (readonly string[])[])[]): AsyncGenerator<Tagging> {
  for (const [i, [given, found]] of pairs.entries()) {
    const tokens = found!.map((tag) => ({ token: 'a', start: 0, end: 1, tag, probability: 1 }))
    const logits = tokens.map(() => new Float32Array(TAGS.length))
    yield await Promise.resolve({ line: i + 1, text: 'a', reading: 'tags', tokens, spans: [], given: given!, logits })
  }
}

describe.skipIf(TRANSFORMERS === null)('answers for tokens and spans', () => {
  beforeAll(async () => {
    await writeReadingModel(tagger, 'token-classification')
    await writeReadingModel(answerer, 'qa')
  })

  it('tags are those of TokenClassificationPipeline', async () => {
    const run = { task: 'token-classification', folder: tagger, inputs: TEXTS }
    const { runs } = ask(TRANSFORMERS!, 'run_pipelines.py', { runs: [run], tags: [] }) as Genuine
    await using tag = await pipeline('token-classification', tagger)
    const found = await tag(TEXTS)
    const theirs = runs[0] as readonly { entity: string; score: number; start: number; end: number }[][]
    expect(found.map(({ tokens }) => tokens.map(({ tag: t, start, end }) => [t, start, end]))).toEqual(
      theirs.map((tokens) => tokens.map(({ entity, start, end }) => [entity, start, end])),
    )
    found.forEach(({ tokens }, i) => {
      tokens.forEach(({ probability }, j) => {
        expect(probability).toBeCloseTo(theirs[i]![j]!.score, 5)
      })
    })
  })

  it('answers are those of QuestionAnsweringPipeline, over windows too', async () => {
    const tokenizer = loadTokenizer(answerer)
    const inputs = QUESTIONS.map((question) => ({ question, context: PASSAGE }))
    for (const [length, stride] of [
      [64, 16],
      [40, 12],
    ] as const) {
      const run = { task: 'question-answering', folder: answerer, inputs, length, stride }
      const { runs } = ask(TRANSFORMERS!, 'run_pipelines.py', { runs: [run], tags: [] }) as Genuine
      const theirs = runs[0] as readonly { answer: string; score: number; start: number; end: number }[]
      for (const [i, question] of QUESTIONS.entries()) {
        const input = join(folder, 'question.txt')
        writeFileSync(input, `${question}\n`)
        // Their stride is the number of tokens that two windows share.
        const docStride = length - 3 - tokenizer.ids(question).length - stride
        const job = { model: answerer, input, format: 'jsonl', context: PASSAGE, maxSeqLength: length } as const
        const lines: string[] = []
        await predictFile({ ...job, docStride }, { force: false }, (line) => Promise.resolve(lines.push(line) > 0))
        const own = JSON.parse(lines[0]!) as { answer: string; start: number; end: number; probability: number }
        const { answer, start, end, score } = theirs[i]!
        expect([own.answer, own.start, own.end]).toEqual([answer, start, end])
        expect(own.probability).toBeCloseTo(score, 5)
      }
    }
  })

  it('scores of spans are those of seqeval', async () => {
    const names = [...TAGS, 'E-PER', 'S-LOC']
    const sentence = fc.integer({ min: 1, max: 12 }).chain((n) => {
      const tags = fc.array(fc.constantFrom(...names), { minLength: n, maxLength: n })
      return fc.tuple(tags, tags)
    })
    const pairs = fc.sample(sentence, { numRuns: 400, seed: 7 })
    const { scores } = ask(TRANSFORMERS!, 'run_pipelines.py', { runs: [], tags: pairs }) as Genuine
    const own = await evaluateTags(taggings(pairs), TAGS, () => undefined)
    const { micro, macro } = own.spans!
    const flat = [micro, macro].flatMap(({ precision, recall, f1 }) => [precision, recall, f1])
    expect(scores).not.toBeNull()
    flat.forEach((score, i) => {
      expect(score).toBeCloseTo(scores![i]!, 12)
    })
  })
})
