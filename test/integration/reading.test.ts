import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { convertModel } from '../../src/api/convert/convert.js'
import { openModel } from '../../src/api/open/open.js'
import { pipeline } from '../../src/api/pipeline/pipeline.js'
import { SCHEMAS } from '../../src/schemas/schemas.js'
import { PASSAGE, QUESTIONS, TAGS, TEXTS, writeReadingModel } from '../helpers/reading-models.js'
import { albertkit } from '../helpers/run.js'

/** Token classifiers and question answering by the command line; the oracle tests compare them with transformers. */

const NER = fileURLToPath(new URL('../fixtures/field/zh-ner/albert_base_ner_checkpoints', import.meta.url))

let folder: string
const at = (name: string): string => join(folder, name)
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'albertkit-reading-'))
  await writeReadingModel(at('tagger'), 'token-classification')
  await writeReadingModel(at('answerer'), 'qa')
}, 60_000)
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

async function lines(args: readonly string[]): Promise<Record<string, unknown>[]> {
  const { code, stdout, stderr } = await albertkit(args)
  expect([code, stderr], args.join(' ')).toEqual([0, expect.any(String)])
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

async function document(args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await albertkit([...args, '--json'])
  expect([code, stderr], args.join(' ')).toEqual([0, expect.any(String)])
  return JSON.parse(stdout) as Record<string, unknown>
}

interface Tagged {
  readonly tokens: readonly { token: string; start: number; end: number; tag: string }[]
  readonly spans: readonly { type: string; text: string; start: number; end: number }[]
}

describe('a token classifier', () => {
  it('gives tags and spans, the converted one too, as the pipeline does', async () => {
    writeFileSync(at('texts.txt'), `${TEXTS.join('\n')}\n`)
    const found = await lines(['predict', at('tagger'), at('texts.txt')])
    for (const line of found) z.parse(SCHEMAS['predict-line'], line)
    await albertkit(['convert', at('tagger'), '--to', 'onnx', '--to', 'tfjs', '--no-verify', '-o', at('tagger-out')])
    for (const runner of ['onnxruntime', 'tfjs-wasm']) {
      const again = await lines(['predict', at('tagger-out'), at('texts.txt'), '--runner', runner])
      const tags = (list: typeof found) => (list as unknown as Tagged[]).map(({ tokens }) => tokens.map((t) => t.tag))
      expect(tags(again)).toEqual(tags(found))
    }
    await using tag = await pipeline('token-classification', at('tagger'))
    const answers = await tag(TEXTS)
    expect(answers.map(({ tokens }) => tokens.map((t) => t.tag))).toEqual(
      (found as unknown as Tagged[]).map(({ tokens }) => tokens.map((t) => t.tag)),
    )
    ;(found as unknown as Tagged[]).forEach(({ tokens, spans }, i) => {
      const text = Array.from(TEXTS[i]!)
      for (const span of spans) expect(span.text).toBe(text.slice(span.start, span.end).join(''))
      for (const { start, end, token } of tokens.filter((one) => one.token !== '[UNK]'))
        expect(text.slice(start, end).join('').toLowerCase()).toBe(token.replace(/^##/, ''))
      // Each tagged word begins in a span of its type, and no other is there.
      const inside = tokens.filter(({ tag, token }) => tag !== 'O' && !token.startsWith('##'))
      for (const { start, tag } of inside)
        expect(spans.some((s) => s.start <= start && start < s.end && s.type === tag.slice(2))).toBe(true)
      expect(spans.length).toBeLessThanOrEqual(inside.length)
    })
  })

  it('is evaluated on CoNLL files; its own tags are all right', async () => {
    const words = ['paris', 'is', 'the', 'capital', '北', '京', 'running', 'and']
    writeFileSync(at('null.jsonl'), `null\n"北京"\n`)
    const bad = await albertkit(['predict', at('tagger'), at('null.jsonl')])
    expect([bad.code, bad.stderr]).toEqual([3, expect.stringContaining('line 1: the line is not a JSON object')])
    writeFileSync(at('words.jsonl'), `${JSON.stringify({ tokens: words })}\n`)
    const [own] = (await lines(['predict', at('tagger'), at('words.jsonl')])) as unknown as Tagged[]
    expect(own!.tokens.map(({ token }) => token)).toEqual(words)
    const conll = own!.tokens.map(({ token, tag }) => `${token}\t${tag}`).join('\n')
    writeFileSync(at('own.txt'), `${conll}\n\n${conll}\n`)
    const right = await document(['evaluate', at('tagger'), at('own.txt')])
    z.parse(SCHEMAS.evaluate, right)
    expect(right).toMatchObject({ sentences: 2, words: 16, accuracy: 1, bad: 0, spans: { micro: { f1: 1 } } })
    const turned = own!.tokens.map(({ token }) => `${token} X B-PER`).join('\n')
    writeFileSync(at('turned.conll'), turned)
    const wrong = await document(['evaluate', at('tagger'), at('turned.conll')])
    const same = own!.tokens.filter(({ tag }) => tag === 'B-PER').length
    expect(wrong.accuracy).toBeCloseTo(same / words.length, 12)
    expect((await albertkit(['evaluate', at('tagger'), at('own.txt')])).stdout).toContain('micro F1  1.0000')
    const svg = await albertkit(['evaluate', at('tagger'), at('own.txt'), '--svg', at('x.svg')])
    expect([svg.code, svg.stderr]).toEqual([2, expect.stringContaining('a token classifier')])
  })

  it('of a TensorFlow checkpoint is inferred from the names of its classes, in a pickle, JSON or labels.txt', async () => {
    const kindOf = async (path: string, task?: 'classify'): Promise<string | undefined> => {
      using opened = await openModel(path, task === undefined ? {} : { task })
      return opened.model.classifier?.kind
    }
    const copy = (name: string, file?: string, text?: string): string => {
      cpSync(NER, at(name), { recursive: true })
      rmSync(at(`${name}/label2id.pkl`))
      if (file !== undefined) writeFileSync(at(`${name}/${file}`), text!)
      return at(name)
    }
    const names = ['0', 'O', ...['PER', 'ORG', 'LOC'].flatMap((t) => [`B-${t}`, `I-${t}`]), 'X', '[CLS]', '[SEP]']
    expect(await kindOf(NER)).toBe('token')
    expect(await kindOf(NER, 'classify')).toBe('sequence')
    expect(await kindOf(copy('bare'))).toBe('sequence')
    expect(await kindOf(copy('text', 'labels.txt', names.join('\n')))).toBe('token')
    const map = Object.fromEntries(names.map((name, i) => [i, name]))
    expect(await kindOf(copy('json', 'id2label.json', JSON.stringify(map)))).toBe('token')
    expect(await kindOf(copy('classes', 'labels.txt', names.map((_, i) => `class ${i}`).join('\n')))).toBe('sequence')
    expect(await kindOf(copy('broken', 'label2id.pkl', 'cos\nsystem\n(S"true"\ntR.'))).toBe('sequence')
    // What cannot be read at all is not taken for a file of other contents.
    const lfs = copy('lfs', 'label2id.json', 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n')
    const lost = copy('lost')
    symlinkSync('nowhere', join(lost, 'label2id.pkl'))
    for (const [folder, code] of [
      [lfs, 'not-a-model'],
      [lost, 'file-missing'],
    ] as const)
      await expect(convertModel(folder, `${folder}-out`, { targets: ['onnx'], verify: false })).rejects.toMatchObject({
        code,
      })
    writeFileSync(at('line.txt'), '我在北京\n')
    const [tagged] = (await lines(['predict', at('json'), at('line.txt')])) as unknown as Tagged[]
    expect(tagged!.tokens.map(({ tag }) => tag)).toEqual(['I-PER', 'I-LOC', 'O', 'I-LOC'])
    const bare = await lines(['predict', at('bare'), at('line.txt'), '--task', 'token-classification'])
    expect((bare as unknown as Tagged[])[0]!.tokens).toHaveLength(4)
  })
})

describe('question answering', () => {
  it('finds spans of the passage, of a file or of columns, the converted one too', async () => {
    writeFileSync(at('passage.txt'), PASSAGE)
    writeFileSync(at('questions.txt'), `${QUESTIONS.join('\n')}\n`)
    writeFileSync(at('questions.tsv'), QUESTIONS.map((q) => `${q}\t${PASSAGE}\n`).join(''))
    const json = QUESTIONS.map((question) => `${JSON.stringify({ question, context: PASSAGE })}\n`)
    writeFileSync(at('questions.jsonl'), json.join(''))
    const first = await lines(['predict', at('answerer'), at('questions.txt'), '--context', at('passage.txt')])
    expect(first).toHaveLength(QUESTIONS.length)
    for (const line of first) {
      z.parse(SCHEMAS['predict-line'], line)
      const { answer, start, end } = line as { answer: string; start: number; end: number }
      expect(answer).toBe(Array.from(PASSAGE).slice(start, end).join(''))
      expect(answer).not.toBe('')
    }
    expect(await lines(['predict', at('answerer'), at('questions.txt'), '--context', PASSAGE])).toEqual(first)
    expect(await lines(['predict', at('answerer'), at('questions.tsv')])).toEqual(first)
    expect(await lines(['predict', at('answerer'), at('questions.jsonl')])).toEqual(first)
    await albertkit(['convert', at('answerer'), '--to', 'onnx', '--no-verify', '-o', at('answerer-out')])
    expect(await lines(['predict', at('answerer-out'), at('questions.jsonl')])).toEqual(first)
    await using answer = await pipeline('question-answering', at('answerer'))
    const piped = await answer(QUESTIONS.map((question) => ({ question, context: PASSAGE })))
    expect(piped.map((one) => one.answer)).toEqual(first.map((line) => line.answer))
    const empty = await lines(['predict', at('answerer'), at('questions.tsv'), '--null-threshold', '-1000'])
    expect(empty.map((line) => line.answer)).toEqual(['', '', ''])
    const missing = await albertkit(['predict', at('answerer'), at('questions.txt')])
    expect([missing.code, missing.stderr]).toEqual([3, expect.stringContaining('--context')])
  })

  it('is evaluated on files in the format of SQuAD; its own answers are all right', async () => {
    const answers = await lines(['predict', at('answerer'), at('questions.jsonl')])
    const qas = QUESTIONS.map((question, i) => ({
      id: `q${i}`,
      question,
      answers: [{ text: answers[i]!.answer, answer_start: answers[i]!.start }],
    }))
    const none = { id: 'none', question: 'where?', answers: [], is_impossible: true }
    const data = [{ title: 't', paragraphs: [{ context: PASSAGE, qas: [...qas, none] }] }]
    writeFileSync(at('squad.json'), JSON.stringify({ version: 'v2.0', data }))
    const scores = await document(['evaluate', at('answerer'), at('squad.json')])
    z.parse(SCHEMAS.evaluate, scores)
    expect(scores).toMatchObject({
      questions: 4,
      exactMatch: 0.75,
      withAnswer: { questions: 3, exactMatch: 1, f1: 1 },
      withoutAnswer: { questions: 1, exactMatch: 0 },
    })
    const empty = await document(['evaluate', at('answerer'), at('squad.json'), '--null-threshold', '-1000'])
    expect(empty).toMatchObject({ withoutAnswer: { questions: 1, exactMatch: 1 } })
    const text = (await albertkit(['evaluate', at('answerer'), at('squad.json')])).stdout
    expect(text).toContain('with an answer      exact match 1.0000')
    const sharded = ['predict', at('answerer'), at('squad.json'), '--shard', '1/2', '-o', at('shards')]
    expect((await albertkit(sharded)).code).toBe(2)
    const named = await lines(['predict', at('answerer'), at('squad.json')])
    expect(named.map((line) => line.id)).toEqual(['q0', 'q1', 'q2', 'none'])
  })

  it('of another model has no passage', async () => {
    writeFileSync(at('line.txt'), '我在北京\n')
    const refused = await albertkit(['predict', at('tagger'), at('line.txt'), '--context', 'x'])
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('token-classification')])
    const results = await albertkit(['predict', at('tagger'), at('line.txt'), '--format', 'results'])
    expect(results.code).toBe(2)
  })
})

it('tags of the helper are the classes of the model', () => {
  const fields = JSON.parse(readFileSync(at('tagger/config.json'), 'utf8')) as { id2label: Record<string, string> }
  expect(Object.values(fields.id2label)).toEqual([...TAGS])
})
