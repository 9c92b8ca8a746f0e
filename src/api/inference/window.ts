import type { NamedTensor } from '../../runtime/runner.js'
import { makeBatches, type Batch } from '../../text/data/batches.js'
import { makeFeatures, type Features } from '../../text/data/features.js'
import type { Tokenizer } from '../../text/tokenizers/tokenizer.js'

/** Requested output for a text. */
export interface Reading {
  /** Name of the output: `logits`, `pooler_output`, `last_hidden_state`. */
  readonly output: string
  /** `none`: the row of the output; `mean`: its mean over the tokens, padding excluded. */
  readonly reduction: 'none' | 'mean'
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

/** Writes the mean of `values`, `[sequence, into.length]`, over the tokens of the features into `into`. */
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
