import { isBad, type BadLine, type ExampleReader } from '../../text/data/examples.js'
import type { Line } from '../../text/data/lines.js'
import { float32Number } from '../../text/data/numbers.js'
import { lineEntries, type Entry } from './entries.js'
import { openTextModel } from './model.js'
import type { Pooling, TextModel, TextModelOptions } from './text-model.js'
import { answers, type AnswerOptions } from './answers.js'
import { readWindow } from './window.js'

export interface Embedding {
  readonly line: number
  readonly text: string
  readonly vector: Float32Array
}

export const VECTOR_FORMATS = ['jsonl', 'npy', 'safetensors'] as const
export type VectorFormat = (typeof VECTOR_FORMATS)[number]

/** Formats a vector as a line of output. */
export const vectorLine = (vector: ArrayLike<number>): string =>
  JSON.stringify({ vector: Array.from(vector, float32Number) })

const READINGS = {
  mean: { output: 'last_hidden_state', reduction: 'mean' },
  pooled: { output: 'pooler_output', reduction: 'none' },
} as const

/** Opens a model for sentence vectors. @throws AlbertkitError as `openTextModel` */
export const openEmbedder = (path: string, pooling: Pooling, options: TextModelOptions = {}): Promise<TextModel> =>
  openTextModel(path, 'features', READINGS[pooling].output, options)

/** Vectors of lines, in order: the last hidden state averaged over the tokens, or the pooler's output. */
export const embedLines = (
  model: TextModel,
  pooling: Pooling,
  lines: AsyncIterable<Line>,
  reader: ExampleReader,
  options: AnswerOptions = {},
): AsyncGenerator<Embedding | BadLine> =>
  embedEntries(model, pooling, lineEntries(lines, reader, model.limits), options)

/** Vectors of the examples of an input, in order. */
export async function* embedEntries(
  model: TextModel,
  pooling: Pooling,
  entries: AsyncIterable<Entry>,
  options: AnswerOptions = {},
): AsyncGenerator<Embedding | BadLine> {
  for await (const answer of answers(model, READINGS[pooling], entries, options)) {
    if (isBad(answer)) {
      yield answer
      continue
    }
    const { example, values } = answer
    yield { line: example.line, text: example.text, vector: values }
  }
}

/** Computes the vectors of texts. */
export async function embedTexts(
  model: TextModel,
  pooling: Pooling,
  texts: readonly string[],
): Promise<readonly Float32Array[]> {
  const reading = { ...READINGS[pooling], batch: texts.length }
  const { width, values } = await readWindow(
    model,
    texts.map((text) => [text, null] as const),
    reading,
  )
  return texts.map((_, i) => values.subarray(i * width, (i + 1) * width))
}
