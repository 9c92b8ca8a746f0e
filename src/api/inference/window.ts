import type { NamedTensor } from '../../runtime/runner.js'
import { makeBatches, type Batch } from '../../text/data/batches.js'
import { makeFeatures, type Features } from '../../text/data/features.js'
import type { Tokenizer } from '../../text/tokenizers/tokenizer.js'

/** What a model is asked to make of a text. */
export interface Reading {
  /** Output of the model: `logits`, `pooler_output`, `last_hidden_state`. */
  readonly output: string
  /** The row of the output as it is, or its mean over the tokens that are no padding. */
  readonly reduction: 'none' | 'mean'
  /** Rows in a batch, at most. */
  readonly batch: number
}

/** A text and what follows it, or null. */
export type TextPair = readonly [a: string, b: string | null]

/** Texts that features are made of, or features. */
export type TextInput = TextPair | Features

/** What reading needs of a model. */
export interface Readable {
  readonly tokenizer: Tokenizer
  readonly maxLength: number
  run(batch: Batch, output: string): Promise<NamedTensor>
}

/** Rows of equal width, one behind the other, `[texts, width]`. */
export interface WindowRows {
  readonly width: number
  readonly values: Float32Array
  /** Number of texts whose end was cut off. */
  readonly cut: number
}

/** Threads that read windows of texts with one model. */
export interface TextPool {
  /** Number of windows that are worth having under way at once. */
  readonly width: number
  /** Number of threads that are running. */
  readonly threads: number
  /** Reads the texts of one window: a row of the output for each text, in their order. */
  read(inputs: readonly TextInput[], reading: Reading): Promise<WindowRows>
  close(): Promise<void>
}

/** Writes the mean over the tokens of `features`, positions of `[sequence, into.length]`, into `into`. */
export function meanInto(into: Float32Array, values: Float32Array, { input_ids, attention_mask }: Features): void {
  const width = into.length
  const sums = new Float64Array(width)
  let tokens = 0
  for (let token = 0; token < input_ids.length; token++) {
    if (attention_mask?.[token] === 0) continue
    tokens++
    for (let i = 0, at = token * width; i < width; i++) sums[i]! += values[at++]!
  }
  for (let i = 0; i < width; i++) into[i] = sums[i]! / tokens
}

/** Thrown where nobody waits for the rows any more. */
export class Stopped extends Error {}

/**
 * Reads the texts of a window: tokens, batches sorted by length, the model; a row for each text, in their order.
 * @param stopped asked before each batch
 */
export async function readWindow(
  model: Readable,
  inputs: readonly TextInput[],
  reading: Reading,
  stopped: () => boolean = () => false,
): Promise<WindowRows> {
  const { output, reduction } = reading
  const features = inputs.map((input) =>
    'input_ids' in input ? input : makeFeatures(model.tokenizer, ...input, model.maxLength),
  )
  const cut = features.filter(({ isCut }) => isCut === true).length
  let rows: WindowRows = { width: 0, values: new Float32Array(0), cut }
  for (const batch of makeBatches(features, reading.batch)) {
    if (stopped()) throw new Stopped('nobody waits for this')
    const { shape, data } = await model.run(batch, output)
    const size = data.length / batch.rowIndices.length
    const width = reduction === 'mean' ? shape.at(-1)! : size
    if (rows.width === 0) rows = { width, values: new Float32Array(width * inputs.length), cut }
    const { values } = rows
    batch.rowIndices.forEach((place, row) => {
      const own = data.subarray(row * size, (row + 1) * size)
      if (reduction === 'none') values.set(own, place * width)
      else meanInto(values.subarray(place * width, (place + 1) * width), own, features[place]!)
    })
  }
  return rows
}
