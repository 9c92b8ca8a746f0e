import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AutoModel, AutoModelForSequenceClassification, AutoTokenizer, env, pipeline } from '@huggingface/transformers'
import { convertModel } from '../../src/api/convert/convert.js'
import { initModel } from '../../src/api/init/init.js'
import { openModel } from '../../src/api/open/open.js'
import { embedLines, openEmbedder } from '../../src/api/inference/embed.js'
import { openTextModel } from '../../src/api/inference/model.js'
import { predictLines } from '../../src/api/inference/predict.js'
import { resolveTask } from '../../src/model/outputs.js'
import { headsFor, type ResolvedTask } from '../../src/model/tasks.js'
import { runReference } from '../../src/model/reference/run.js'
import { ExampleReader, isBad } from '../../src/text/data/examples.js'
import type { Line } from '../../src/text/data/lines.js'
import { describeShared, SHARED, ZH_NEWS } from '../helpers/shared.js'

/** The directories that convert writes, loaded by Hugging Face's own library as they are, from the disk alone. */

const folder = mkdtempSync(join(tmpdir(), 'albertkit-transformers-js-'))
beforeAll(() => {
  env.allowRemoteModels = false
  env.useFSCache = false
  env.localModelPath = `${folder}/`
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

const TEXTS = readFileSync(join(ZH_NEWS, 'test.tsv'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => line.split('\t')[1] ?? '')

async function* linesOf(texts: readonly string[]): AsyncGenerator<Line> {
  for (const [i, text] of texts.entries()) yield await Promise.resolve({ number: i + 1, text })
}
const reader = (): ExampleReader => new ExampleReader({ format: 'lines' })
// Activations of a batch are quantised together, so both read one line at a time; and with as many threads.
const ONE = { batch: 1, threads: 1 }
const session_options = { intraOpNumThreads: 1 }

const FILES = { fp32: 'model.onnx', fp16: 'model_fp16.onnx', int8: 'model_int8.onnx', q4: 'model_q4.onnx' } as const
type Dtype = keyof typeof FILES
const dtypes = Object.keys(FILES) as Dtype[]

/** Logits and mean vectors of each text as albertkit computes them with one file of the directory. */
async function ours(directory: string, dtype: Dtype, texts: readonly string[]) {
  const file = join(folder, directory, 'onnx', FILES[dtype])
  const model = await openTextModel(file, 'classify', 'logits')
  const embedder = await openEmbedder(file, { pooling: 'mean' })
  const found: { label: string; logits: readonly number[]; vector: readonly number[] }[] = []
  const vectors = embedLines(embedder, linesOf(texts), reader(), ONE)
  for await (const line of predictLines(model, linesOf(texts), reader(), ONE)) {
    const next = await vectors.next()
    if (isBad(line) || next.done === true || isBad(next.value)) throw new RangeError('a line was not read')
    found.push({ label: line.label, logits: line.logits, vector: [...next.value.vector] })
  }
  await model.close()
  await embedder.close()
  return found
}

const furthest = (a: ArrayLike<number>, b: readonly number[]): number =>
  b.reduce((most, value, i) => Math.max(most, Math.abs(value - a[i]!)), a.length === b.length ? 0 : Infinity)

async function sameAnswers(directory: string, dtype: Dtype, texts: readonly string[]): Promise<Set<string>> {
  const expected = await ours(directory, dtype, texts)
  const options = { dtype, session_options }
  const tokenizer = await AutoTokenizer.from_pretrained(directory)
  const classifier = await AutoModelForSequenceClassification.from_pretrained(directory, options)
  const classify = await pipeline('text-classification', directory, options)
  const embed = await pipeline('feature-extraction', directory, options)
  expect(expected.length).toBe(texts.length)
  const seen = new Set<string>()
  for (const [i, text] of texts.entries()) {
    const { label, logits, vector } = expected[i]!
    const given = (await classifier(tokenizer(text, { truncation: true }))) as { logits: { data: Float32Array } }
    expect(furthest(given.logits.data, logits), text).toBeLessThanOrEqual(1e-5)
    expect(await classify(text), text).toMatchObject([{ label }])
    const mean = await embed(text, { pooling: 'mean' })
    expect(furthest(mean.data as Float32Array, vector), text).toBeLessThanOrEqual(1e-5)
    seen.add(label)
  }
  for (const each of [classifier, classify, embed]) await each.dispose()
  return seen
}

describe('the bundled classifier', () => {
  beforeAll(async () => {
    const report = await convertModel(ZH_NEWS, join(folder, 'zh'), {
      targets: ['onnx'],
      dtypes: ['f32', 'f16', 'int8', 'int4'],
      verify: false,
    })
    expect(report.ok).toBe(true)
  })

  it.each(dtypes)('in %s: the same classes and features for every headline', async (dtype) => {
    const seen = await sameAnswers('zh', dtype, TEXTS)
    expect(seen.size).toBe(10)
  })

  it('names the default file', async () => {
    const config = (name: string): unknown =>
      (JSON.parse(readFileSync(join(folder, name, 'config.json'), 'utf8')) as Record<string, unknown>)[
        'transformers.js_config'
      ]
    expect(config('zh')).toEqual({ dtype: 'fp32' })
    const options = { targets: ['onnx'], dtypes: ['int8'], externalData: true, verify: false } as const
    await convertModel(ZH_NEWS, join(folder, 'int8'), options)
    expect(config('int8')).toEqual({ dtype: 'int8', use_external_data_format: { 'model_int8.onnx': 1 } })
    const model = await AutoModel.from_pretrained('int8', { session_options })
    const tokenizer = await AutoTokenizer.from_pretrained('int8')
    const { last_hidden_state } = (await model(tokenizer('房价上涨'))) as {
      last_hidden_state: { dims: number[] }
    }
    expect(last_hidden_state.dims).toEqual([1, 6, 128])
    await model.dispose()
    // A form that is added later is taken into account, and so is what stays.
    await convertModel(ZH_NEWS, join(folder, 'int8'), { ...options, dtypes: ['f16'], externalData: false, force: true })
    expect(config('int8')).toEqual({ dtype: 'fp16', use_external_data_format: { 'model_int8.onnx': 1 } })
    await convertModel(ZH_NEWS, join(folder, 'tfjs'), { targets: ['tfjs'], verify: false })
    expect(config('tfjs')).toBeUndefined()
  })
})

describeShared('a model of the google family with a SentencePiece vocabulary', () => {
  const config = {
    vocab_size: 960,
    embedding_size: 32,
    hidden_size: 64,
    num_hidden_layers: 3,
    num_hidden_groups: 1,
    inner_group_num: 1,
    num_attention_heads: 4,
    intermediate_size: 128,
    hidden_act: 'gelu',
    max_position_embeddings: 128,
    type_vocab_size: 2,
    net_structure_type: 0,
  }
  const texts = ['The quick brown fox.', 'Where were you yesterday?', 'naïve cafés in 2019', ...TEXTS.slice(0, 10)]
  beforeAll(async () => {
    const source = join(folder, 'source')
    writeFileSync(join(folder, 'google.json'), JSON.stringify(config))
    await initModel(join(folder, 'google.json'), source, { task: 'classify', labels: 3 })
    rmSync(join(source, 'vocab.txt'))
    copyFileSync(join(SHARED, 'text/spiece.model'), join(source, 'spiece.model'))
    const options = { targets: ['onnx'], dtypes: ['f32', 'f16', 'int8', 'int4'], verify: false } as const
    expect((await convertModel(source, join(folder, 'google'), options)).ok).toBe(true)
  })

  it.each(dtypes)('in %s: the same classes and features', async (dtype) => {
    expect((await sameAnswers('google', dtype, texts)).size).toBeGreaterThan(0)
  })
})

describe('models with other heads', () => {
  const config = {
    vocab_size: 700,
    embedding_size: 32,
    hidden_size: 64,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    intermediate_size: 128,
    hidden_act: 'gelu',
    max_position_embeddings: 64,
    type_vocab_size: 2,
  }
  /** Of the vocabulary that is made up: BERT's. */
  const MASK = 103
  const made = async (family: 'albert' | 'bert', task: ResolvedTask): Promise<string> => {
    const name = `${family}-${task}`
    const file = join(folder, `${family}.json`)
    writeFileSync(file, JSON.stringify({ model_type: family, num_hidden_groups: 1, inner_group_num: 1, ...config }))
    await initModel(file, join(folder, `${name}-source`), { task, target: 'safetensors', labels: 3 })
    expect(
      (await convertModel(join(folder, `${name}-source`), join(folder, name), { targets: ['onnx'], verify: false })).ok,
    ).toBe(true)
    return name
  }
  const expected = async (name: string, output: string, texts: readonly [string, string?]) => {
    const model = await openModel(join(folder, `${name}-source`))
    const tokenizer = await AutoTokenizer.from_pretrained(name)
    const features = tokenizer(texts[0], { text_pair: texts[1] ?? null }) as Record<string, { data: BigInt64Array }>
    const ids = (key: string): Int32Array => Int32Array.from(features[key]!.data, Number)
    const input_ids = ids('input_ids')
    const inputs = {
      batch: 1,
      sequence: input_ids.length,
      input_ids,
      token_type_ids: ids('token_type_ids'),
      attention_mask: ids('attention_mask'),
    }
    const values = runReference(model.model, model.source, inputs, headsFor(resolveTask(model.model, 'auto'))).get(
      output,
    )
    model.close()
    if (values === undefined) throw new RangeError(`there is no ${output}`)
    return { input_ids, values: Array.from(values.data), width: values.shape.at(-1) ?? 1 }
  }
  const softmax = (values: readonly number[]): number[] => {
    const powers = values.map((value) => Math.exp(value - Math.max(...values)))
    const sum = powers.reduce((a, b) => a + b, 0)
    return powers.map((power) => power / sum)
  }

  it.each(['albert', 'bert'] as const)('%s fills masks, once its output is called logits', async (family) => {
    const name = await made(family, 'mlm')
    const text = 'ab [MASK] ef'
    const { input_ids, values, width } = await expected(name, 'prediction_logits', [text])
    const at = input_ids.indexOf(MASK)
    expect(at).toBeGreaterThan(0)
    const probabilities = softmax(values.slice(at * width, (at + 1) * width))
    const fill = await pipeline('fill-mask', name, { session_options })
    const forward = fill.model.forward.bind(fill.model)
    fill.model.forward = async (inputs: object) =>
      forward(inputs).then((outputs: Record<string, unknown>) => ({ ...outputs, logits: outputs.prediction_logits }))
    const found = (await fill(text)) as { token: number; score: number }[]
    expect(found[0]?.score).toBeCloseTo(Math.max(...probabilities), 6)
    for (const { token, score } of found) expect(score).toBeCloseTo(probabilities[token] ?? 0, 6)
    await fill.dispose()
  })

  it.each(['albert', 'bert'] as const)('%s answers questions', async (family) => {
    const name = await made(family, 'qa')
    const [question, context] = ['ab cd', 'ef gh ij']
    const start = await expected(name, 'start_logits', [question, context])
    const answer = await pipeline('question-answering', name, { session_options })
    const inputs = (await AutoTokenizer.from_pretrained(name))(question, { text_pair: context })
    const { start_logits } = (await answer.model(inputs)) as { start_logits: { data: Float32Array } }
    expect(furthest(start_logits.data, start.values)).toBeLessThanOrEqual(1e-5)
    expect(context).toContain(((await answer(question, context)) as { answer: string }).answer)
    await answer.dispose()
  })

  it.each(['albert', 'bert'] as const)('%s gives tokens classes', async (family) => {
    const name = await made(family, 'token-classification')
    const { values, width } = await expected(name, 'logits', ['ab cd ef'])
    const model = await AutoModel.from_pretrained(name, { session_options })
    const { logits } = (await model((await AutoTokenizer.from_pretrained(name))('ab cd ef'))) as {
      logits: { data: Float32Array }
    }
    expect(furthest(logits.data, values)).toBeLessThanOrEqual(1e-5)
    await model.dispose()
    if (family === 'albert') return
    const classify = await pipeline('token-classification', name, { session_options })
    const found = (await classify('ab cd ef', { ignore_labels: [] })) as { index: number; score: number }[]
    expect(found.length).toBe(values.length / width - 2)
    for (const { index, score } of found)
      expect(score).toBeCloseTo(Math.max(...softmax(values.slice(index * width, (index + 1) * width))), 6)
    await classify.dispose()
  })
})
