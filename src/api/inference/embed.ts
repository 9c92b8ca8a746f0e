import { omitUndefined } from '../../base/omit-undefined.js'
import type { BadLine, ExampleReader } from '../../text/data/examples.js'
import type { Line } from '../../text/data/lines.js'
import { float32Number } from '../../text/data/numbers.js'
import { lineEntries, type Entry } from './entries.js'
import { openTextModel } from './model.js'
import { mapAnswers, type AnswerOptions } from './answers.js'
import type { VectorOptions } from './sentence/read-vectors.js'
import type { TextModel, TextModelOptions } from './text-model.js'
import { readWindow, rowAt, type Reading } from './window.js'

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

const OUTPUTS = { pooled: 'pooler_output', other: 'last_hidden_state' } as const

/** Output that a model's vectors are made of. */
const readingOf = ({ vectors }: TextModel): Omit<Reading, 'batch'> =>
  vectors?.sentence == null
    ? { outputs: [OUTPUTS.pooled], reduction: 'none' }
    : { outputs: [OUTPUTS.other], reduction: 'vector' }

export interface EmbedderOptions extends Omit<TextModelOptions, 'vectors'>, VectorOptions {}

/**
 * Opens a model for vectors of texts: with the modules of a sentence-transformers folder (`modules.json`:
 * pooling, Dense, LayerNorm, Normalize; prompts; limits), else the mean of the last hidden state over the tokens.
 * @throws AlbertkitError `unsupported` for a module that is not applied; as `openTextModel`
 */
export function openEmbedder(path: string, options: EmbedderOptions = {}): Promise<TextModel> {
  const { pooling, prompt, promptName, ...rest } = options
  const output = pooling === 'pooled' ? OUTPUTS.pooled : OUTPUTS.other
  return openTextModel(path, 'features', output, { ...rest, vectors: omitUndefined({ pooling, prompt, promptName }) })
}

/** Vectors of lines, in order. @param model opened by `openEmbedder` */
export const embedLines = (
  model: TextModel,
  lines: AsyncIterable<Line>,
  reader: ExampleReader,
  options: AnswerOptions = {},
): AsyncGenerator<Embedding | BadLine> => embedEntries(model, lineEntries(lines, reader, model.limits), options)

/** Vectors of the examples of an input, in order. */
export const embedEntries = (
  model: TextModel,
  entries: AsyncIterable<Entry>,
  options: AnswerOptions = {},
): AsyncGenerator<Embedding | BadLine> =>
  mapAnswers(model, readingOf(model), entries, options, ({ example, values }): Embedding => {
    return { line: example.line, text: example.text, vector: values }
  })

/** Computes the vectors of texts. */
export async function embedTexts(model: TextModel, texts: readonly string[]): Promise<readonly Float32Array[]> {
  const reading = { ...readingOf(model), batch: texts.length }
  const rows = await readWindow(
    model,
    texts.map((text) => [text, null] as const),
    reading,
  )
  return texts.map((_, i) => rowAt(rows, i))
}
