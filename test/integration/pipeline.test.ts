import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  fillMask,
  initModel,
  makeFeatures,
  openModel,
  pipeline,
  runReference,
  sentenceOrder,
  type Features,
  type OpenedModel,
  type PipelineTask,
  type Tensor,
} from '../../src/index.js'
import { ZH_NEWS } from '../helpers/shared.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-pipeline-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

const linesOf = (name: string): string[] => readFileSync(join(ZH_NEWS, name), 'utf8').trimEnd().split('\n')
const TEXTS = linesOf('test.tsv').map((line) => line.split('\t')[1]!)

/** Outputs of the float64 reference for one text. */
function reference({ model, source }: OpenedModel, features: Features, name: string): Tensor {
  const { input_ids, token_type_ids } = features
  const inputs = {
    batch: 1,
    sequence: input_ids.length,
    input_ids: Int32Array.from(input_ids),
    attention_mask: new Int32Array(input_ids.length).fill(1),
    token_type_ids: Int32Array.from(token_type_ids),
  }
  return runReference(model, source, inputs, { mlm: false, sop: false, classifier: true, qa: false }).get(name)!
}

describe('pipeline', () => {
  it("classify gives run_classifier's probabilities", async () => {
    await using classify = await pipeline('classify', ZH_NEWS)
    const texts = TEXTS.slice(0, 50)
    const answers = await classify(texts)
    const genuine = linesOf('test_results.tsv').map((line) => line.split('\t').map(Number))
    const labels = linesOf('labels.txt')
    expect(answers).toHaveLength(50)
    answers.forEach(({ label, probability, probabilities }, i) => {
      const row = genuine[i]!
      expect(label).toBe(labels[row.indexOf(Math.max(...row))])
      expect(probability).toBe(probabilities[label])
      labels.forEach((name, k) => {
        expect(Math.abs(probabilities[name]! - row[k]!)).toBeLessThan(1e-5)
      })
    })
    expect(await classify([])).toEqual([])
    const [pair, single] = await classify([[texts[0]!, texts[1]!], texts[0]!])
    expect(pair!.probabilities).not.toEqual(single!.probabilities)
    expect(single!.label).toBe(answers[0]!.label)
  })

  it('fill-mask and sentence-order answer what the single functions answer', async () => {
    const text = '主队逆转取胜，夺得冠[MASK]'
    await using fill = await pipeline('fill-mask', ZH_NEWS, { top: 3 })
    expect(await fill([text, text])).toEqual(Array(2).fill(await fillMask(ZH_NEWS, text, { top: 3 })))
    const pair = [TEXTS[0]!, TEXTS[1]!] as const
    await using order = await pipeline('sentence-order', ZH_NEWS)
    expect(await order([pair])).toEqual([await sentenceOrder(ZH_NEWS, ...pair)])
  })

  it('fill-mask and sentence-order answer lists in batches, in order, as they answer each by itself', async () => {
    const texts = TEXTS.flatMap((text, i) => [`${text}[MASK]`, `[MASK]${text.slice(0, i + 1)}[MASK]的`])
    await using fill = await pipeline('fill-mask', ZH_NEWS, { top: 4 })
    const filled = await fill(texts)
    expect(filled).toHaveLength(texts.length)
    for (const [i, text] of texts.entries()) {
      const [alone] = await fill([text])
      expect(filled[i]!.map(({ position }) => position)).toEqual(alone!.map(({ position }) => position))
      for (const [m, { candidates }] of filled[i]!.entries())
        for (const [c, { id, token, probability }] of candidates.entries()) {
          expect({ id, token }).toEqual({ id: alone![m]!.candidates[c]!.id, token: alone![m]!.candidates[c]!.token })
          expect(probability).toBeCloseTo(alone![m]!.candidates[c]!.probability, 5)
        }
    }
    await expect(fill([texts[0]!, 'no mask'])).rejects.toMatchObject({ kind: 'usage' })
    expect(await fill([])).toEqual([])

    const pairs = TEXTS.map((text, i) => [text, TEXTS[(3 * i + 1) % TEXTS.length]!.slice(0, 5 + i)] as const)
    await using order = await pipeline('sentence-order', ZH_NEWS)
    const orders = await order(pairs)
    for (const [i, pair] of pairs.entries())
      expect(orders[i]!.probabilities.inOrder).toBeCloseTo((await order([pair]))[0]!.probabilities.inOrder, 5)
  })

  it('embed gives the mean of the last hidden state, or the pooled output', async () => {
    const opened = await openModel(ZH_NEWS)
    for (const pooling of ['mean', 'pooled'] as const) {
      await using embed = await pipeline('embed', ZH_NEWS, { pooling })
      const features = makeFeatures(embed.model.tokenizer, TEXTS[2]!, null, 128)
      const length = features.input_ids.length
      const hidden = reference(opened, features, 'last_hidden_state')
      const width = hidden.shape.at(-1)!
      const mean = (i: number): number =>
        features.input_ids.reduce((sum, _, token) => sum + hidden.data[token * width + i]!, 0) / length
      const expected =
        pooling === 'pooled'
          ? Array.from(reference(opened, features, 'pooler_output').data)
          : Array.from({ length: width }, (_, i) => mean(i))
      const [, vector] = await embed([TEXTS[0]!, TEXTS[2]!])
      expect(vector).toHaveLength(width)
      expected.forEach((x, i) => {
        expect(Math.abs(vector![i]! - x)).toBeLessThan(1e-5)
      })
    }
    opened.close()
  })

  it('token-classification gives the tag of each token, as the reference does', async () => {
    const config = join(folder, 'config.json')
    const sizes = { vocab_size: 300, hidden_size: 32, num_attention_heads: 4, intermediate_size: 48 }
    const rest = {
      model_type: 'albert',
      num_hidden_layers: 2,
      max_position_embeddings: 20,
      type_vocab_size: 2,
      hidden_act: 'gelu',
    }
    const groups = { num_hidden_groups: 1, inner_group_num: 1, embedding_size: 16 }
    writeFileSync(config, JSON.stringify({ ...sizes, ...rest, ...groups }))
    const model = join(folder, 'tagger')
    await initModel(config, model, { task: 'token-classification', labels: 5, target: 'safetensors', seed: 3 })
    await using tag = await pipeline('token-classification', model)
    const vocabulary = readFileSync(join(model, 'vocab.txt'), 'utf8').trimEnd().split('\n')
    const words = vocabulary.filter((word) => /^[a-z0-9一-鿿]+$/.test(word))
    const texts = [words.slice(0, 3).join(' '), words.slice(3, 12).join(' ')]
    const answers = await tag(texts)
    const opened = await openModel(model)
    answers.forEach(({ tokens: tagged, spans }, i) => {
      // `LABEL_0` … are no tags of spans.
      expect(spans).toBeNull()
      const tokens = tagged.map(({ token }) => token)
      const features = makeFeatures(tag.model.tokenizer, texts[i]!, null, 20)
      expect(tokens).toEqual(features.input_ids.slice(1, -1).map((id) => vocabulary[id]))
      expect(tokens.length).toBeGreaterThan(2)
      const logits = reference(opened, features, 'logits')
      const classes = logits.shape.at(-1)!
      expect(classes).toBe(5)
      tagged.forEach(({ tag: own, probability }, token) => {
        const row = Array.from(logits.data.subarray((token + 1) * classes, (token + 2) * classes))
        const best = Math.max(...row)
        expect(own).toBe(tag.model.labels![row.indexOf(best)])
        const sum = row.reduce((total, x) => total + Math.exp(x - best), 0)
        expect(Math.abs(probability - 1 / sum)).toBeLessThan(1e-5)
      })
    })
    opened.close()
  })

  it('refuses unknown tasks, inputs of another type, and calls after close', async () => {
    await expect(pipeline('translate' as PipelineTask, ZH_NEWS)).rejects.toMatchObject({ code: 'name-unknown' })
    await expect(pipeline('toString' as PipelineTask, ZH_NEWS)).rejects.toMatchObject({ code: 'name-unknown' })
    const classify = await pipeline('classify', ZH_NEWS)
    for (const input of ['text', [1], [['a']], undefined])
      await expect(classify(input as never)).rejects.toMatchObject({ kind: 'usage', code: 'option-invalid' })
    await classify.close()
    await expect(classify(['text'])).rejects.toMatchObject({ kind: 'usage' })
    await expect(pipeline('token-classification', ZH_NEWS)).rejects.toMatchObject({ kind: 'usage' })
  })
})
