import { omitUndefined } from '../../base/omit-undefined.js'
import { yieldToEventLoop } from '../../base/yield.js'
import type { NamedTensor } from '../../runtime/runner.js'
import { cheapestBatches, type Batch } from '../../text/data/batches.js'
import { makeFeatures, type Features } from '../../text/data/features.js'
import type { Tokenizer } from '../../text/tokenizers/tokenizer.js'
import { candidatesOf } from './candidates.js'
import { sentenceVector } from './sentence/compute.js'
import { NO_PREPARATION, prepared, type VectorPlan } from './sentence/vectors.js'

/** Usual number of rows per batch. */
export const DEFAULT_BATCH = 32

/** Requested outputs for a text. */
export interface Reading {
  /** Names of the outputs: `logits`, `pooler_output`, `last_hidden_state`, `start_logits` … */
  readonly outputs: readonly string[]
  /**
   * `none`: the rows of the outputs, one after the other; `tokens`: the same without the padding of the batch, for
   * outputs `[B, S, …]`; `vector`: the vector that the model's plan computes from the only output; `masked`: ids and
   * probabilities of the `top` best tokens for each mask, from the only output `[B, S, V]`.
   */
  readonly reduction: 'none' | 'tokens' | 'vector' | 'masked'
  /** Candidates for each mask. */
  readonly top?: number
  /** Maximum number of rows per batch. */
  readonly batch: number
  /** Maximum number of tokens in a batch of several rows, with padding; no limit if absent. */
  readonly tokens?: number
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
  /** Runs a batch; the outputs in the order of their names. */
  run(batch: Batch, outputs: readonly string[]): Promise<readonly NamedTensor[]>
}

/** Values of each text, one row after the other. */
export interface WindowRows {
  /** First value of each row, and the end of the last: one more than there are texts. */
  readonly offsets: readonly number[]
  readonly values: Float32Array
  /** Number of texts whose end was cut off. */
  readonly cut: number
}

/** Values of one text. */
export const rowAt = ({ offsets, values }: WindowRows, text: number): Float32Array =>
  values.subarray(offsets[text], offsets[text + 1])

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

/** Features of an input; a text is prepared by the model's plan for vectors. */
function featuresOf({ tokenizer, maxLength, vectors }: Readable, input: TextInput): Features {
  if ('input_ids' in input) return input
  const [a, b] = input
  const preparation = vectors?.preparation ?? NO_PREPARATION
  const second = b === null ? null : prepared(b, { ...preparation, prompt: '' })
  return makeFeatures(tokenizer, prepared(a, preparation), second, maxLength)
}

/** Thrown if the rows are no longer needed. */
export class Stopped extends Error {}

/** Puts the rows of texts, which batches gave in another order, one after the other. */
function joinRows(rows: readonly Float32Array[], cut: number): WindowRows {
  const offsets = [0]
  for (const row of rows) offsets.push(offsets.at(-1)! + row.length)
  const values = new Float32Array(offsets.at(-1)!)
  rows.forEach((row, i) => {
    values.set(row, offsets[i])
  })
  return { offsets, values, cut }
}

/** The row of each output, without the padding of the batch if only `tokens` are requested. */
function rowOf(tensors: readonly NamedTensor[], batch: Batch, row: number, tokens: number | null): Float32Array {
  const parts = tensors.map(({ data }) => {
    const size = data.length / batch.rowIndices.length
    const length = tokens === null ? size : (size / batch.sequence) * tokens
    return data.subarray(row * size, row * size + length)
  })
  return parts.length === 1 ? parts[0]! : joinRows(parts, 0).values
}

/** Rows of a window that one of its threads computed; the others are empty. */
export interface WindowPart {
  readonly rows: WindowRows
  /** Number of batches computed, and of all batches of the window. */
  readonly done: number
  readonly batches: number
}

/** How a thread takes part in a window. */
export interface Share {
  /** Gives the number of the next batch to run, counted from 0 in all threads of the window together. */
  readonly take: () => number
  /** Called with the number of batches before the first is taken. */
  readonly onBatches?: (all: number) => void
  /** Called before each batch; true ends the work with `Stopped`. */
  readonly isStopped?: () => boolean
}

/** Takes every batch. */
function takeAll(): () => number {
  let next = 0
  return () => next++
}

/**
 * Runs texts of a window: tokenization, batches sorted by length, model; a row for each text, in order. The longest
 * batch is run first, so that threads that share a window end at about the same time.
 */
export async function readPart(
  model: Readable,
  inputs: readonly TextInput[],
  reading: Reading,
  { take, onBatches, isStopped }: Share,
): Promise<WindowPart> {
  const { outputs, reduction } = reading
  const features = inputs.map((input) => featuresOf(model, input))
  const sentence = reduction === 'vector' ? (model.vectors?.sentence ?? null) : null
  const rows: Float32Array[] = inputs.map(() => new Float32Array(0))
  const batches = cheapestBatches(features, reading.batch, reading.tokens).reverse()
  onBatches?.(batches.length)
  let done = 0
  for (let batch = batches[take()]; batch !== undefined; batch = batches[take()]) {
    // A runtime computes in this thread, where signals are handled too.
    await yieldToEventLoop()
    if (isStopped?.() === true) throw new Stopped('nobody waits for this')
    const tensors = await model.run(batch, outputs)
    for (const [row, place] of batch.rowIndices.entries()) {
      const tokens = reduction === 'tokens' ? features[place]!.input_ids.length : null
      const own = rowOf(tensors, batch, row, tokens)
      const hidden = tensors[0]!.shape.at(-1)!
      if (reduction === 'masked') {
        rows[place] = candidatesOf(model.tokenizer, features[place]!, own, { size: hidden, top: reading.top ?? 1 })
        continue
      }
      const promptTokens = 'input_ids' in inputs[place]! ? 0 : (model.vectors?.preparation.promptTokens ?? 0)
      rows[place] =
        sentence === null ? own.slice() : sentenceVector(sentence, features[place]!, own, hidden, promptTokens)
    }
    done++
  }
  const cut = features.filter(({ isCut }) => isCut === true).length
  return { rows: joinRows(rows, cut), done, batches: batches.length }
}

/** Rows of a window of `texts` whose batches were run in parts. */
export function joinParts(parts: readonly WindowPart[], texts: number): WindowRows {
  const [first, ...others] = parts.map(({ rows }) => rows)
  if (others.length === 0) return first!
  const all = [first!, ...others]
  const rows = Array.from({ length: texts }, (_, text) => {
    const found = all.map((part) => rowAt(part, text))
    return found.find((row) => row.length > 0) ?? found[0]!
  })
  return joinRows(rows, first!.cut)
}

/** Runs all texts of a window in the calling thread. @param isStopped called before each batch */
export async function readWindow(
  model: Readable,
  inputs: readonly TextInput[],
  reading: Reading,
  isStopped?: () => boolean,
): Promise<WindowRows> {
  return (await readPart(model, inputs, reading, { take: takeAll(), ...omitUndefined({ isStopped }) })).rows
}

/** A pool that runs windows in the calling thread, one after the other. */
export function sequentialPool(model: Readable): TextPool {
  let last: Promise<unknown> = Promise.resolve()
  return {
    width: 1,
    threads: 0,
    read(inputs, reading) {
      const rows = last.then(() => readWindow(model, inputs, reading))
      last = rows.catch(() => undefined)
      return rows
    },
    close: async () => {
      await last
    },
  }
}
