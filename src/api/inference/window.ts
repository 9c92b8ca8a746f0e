import type { NamedTensor } from '../../runtime/runner.js'
import { makeBatches, type Batch } from '../../text/data/batches.js'
import { makeFeatures, type Features } from '../../text/data/features.js'
import type { Tokenizer } from '../../text/tokenizers/tokenizer.js'
import { sentenceVector } from './sentence/compute.js'
import { NO_PREPARATION, prepared, type VectorPlan } from './sentence/vectors.js'

/** Requested output for a text. */
export interface Reading {
  /** Name of the output: `logits`, `pooler_output`, `last_hidden_state`. */
  readonly output: string
  /** `none`: the row of the output; `vector`: the vector that the model's plan makes of it. */
  readonly reduction: 'none' | 'vector'
  /** Maximum number of rows per batch. */
  readonly batch: number
}

/** Text, and the second text of a pair or null. */
export type TextPair = readonly [a: string, b: string | null]

/** Texts, or features made from them. */
export type TextInput = TextPair | Features

/** Parts of a model that running a window needs. */
export interface Readable {
  readonly tokenizer: Tokenizer
  readonly maxLength: number
  readonly vectors: VectorPlan | null
  run(batch: Batch, output: string): Promise<NamedTensor>
}

/** Rows of equal width, `[texts, width]`, row-major. */
export interface WindowRows {
  readonly width: number
  readonly values: Float32Array
  /** Number of texts whose end was cut off. */
  readonly cut: number
}

/** Threads that run windows of texts with one model. */
export interface TextPool {
  /** Number of windows that can usefully be in progress at once. */
  readonly width: number
  /** Number of running threads. */
  readonly threads: number
  /** Runs the texts of one window: a row of the output for each text, in order. */
  read(inputs: readonly TextInput[], reading: Reading): Promise<WindowRows>
  close(): Promise<void>
}

/** Features of an input; a text is prepared as the model's plan for vectors says. */
function featuresOf({ tokenizer, maxLength, vectors }: Readable, input: TextInput): Features {
  if ('input_ids' in input) return input
  const [a, b] = input
  const preparation = vectors?.preparation ?? NO_PREPARATION
  const second = b === null ? null : prepared(b, { ...preparation, prompt: '' })
  return makeFeatures(tokenizer, prepared(a, preparation), second, maxLength)
}

/** Thrown if the rows are no longer needed. */
export class Stopped extends Error {}

/**
 * Runs the texts of a window: tokenization, batches sorted by length, model; a row for each text, in order.
 * @param stopped called before each batch; true ends the work with `Stopped`
 */
export async function readWindow(
  model: Readable,
  inputs: readonly TextInput[],
  reading: Reading,
  stopped: () => boolean = () => false,
): Promise<WindowRows> {
  const { output, reduction } = reading
  const features = inputs.map((input) => featuresOf(model, input))
  const sentence = reduction === 'vector' ? (model.vectors?.sentence ?? null) : null
  const cut = features.filter(({ isCut }) => isCut === true).length
  let rows: WindowRows = { width: 0, values: new Float32Array(0), cut }
  for (const batch of makeBatches(features, reading.batch)) {
    if (stopped()) throw new Stopped('nobody waits for this')
    const { shape, data } = await model.run(batch, output)
    const size = data.length / batch.rowIndices.length
    batch.rowIndices.forEach((place, row) => {
      const own = data.subarray(row * size, (row + 1) * size)
      const promptTokens = 'input_ids' in inputs[place]! ? 0 : (model.vectors?.preparation.promptTokens ?? 0)
      const vector =
        sentence === null ? own : sentenceVector(sentence, features[place]!, own, shape.at(-1)!, promptTokens)
      if (rows.width === 0)
        rows = { width: vector.length, values: new Float32Array(vector.length * inputs.length), cut }
      rows.values.set(vector, place * rows.width)
    })
  }
  return rows
}
