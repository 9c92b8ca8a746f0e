import { availableParallelism } from 'node:os'
import type { NamedTensor } from '../../runtime/runner.js'
import { WINDOW } from '../../scale/line-index.js'
import { makeBatches, type Batch } from '../../text/batches.js'
import { isBad, type BadLine, type Example, type ExampleReader } from '../../text/examples.js'
import { makeFeatures } from '../../text/features.js'
import type { Line } from '../../text/lines.js'
import type { TextModel } from './model.js'

export interface PipelineOptions {
  /** Rows in a batch; 32 if left out. */
  readonly batch?: number
  /** Batches that run at the same time; as many as the processor has cores, if left out. */
  readonly threads?: number
  /** Called after each window, with the lines that are done. */
  readonly onProgress?: (lines: number) => void
}

/** What the model says of one example: its row of an output. */
export interface Answer {
  readonly example: Example
  /** The row, of that shape. */
  readonly shape: readonly number[]
  readonly values: Float32Array
  /** Tokens that the row has, the special ones included. */
  readonly tokens: number
}

/** Lets at most `limit` things run at a time. */
function limiter(limit: number): <T>(body: () => Promise<T>) => Promise<T> {
  let running = 0
  const waiting: (() => void)[] = []
  return async (body) => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve))
    running++
    try {
      return await body()
    } finally {
      running--
      waiting.shift()?.()
    }
  }
}

const rowOf = ({ shape, data }: NamedTensor, row: number): { shape: number[]; values: Float32Array } => {
  const size = shape.slice(1).reduce((a, b) => a * b, 1)
  return { shape: shape.slice(1), values: data.slice(row * size, (row + 1) * size) }
}

type Item = Example | BadLine

/** Groups lines by windows that are counted from the start of the file, so that a line's batch depends on nothing else. */
async function* windows(lines: AsyncIterable<Line>, reader: ExampleReader): AsyncGenerator<Item[]> {
  let current: Item[] = []
  let number = -1
  for await (const line of lines) {
    const own = Math.floor((line.number - 1) / WINDOW)
    if (own !== number && current.length > 0) {
      yield current
      current = []
    }
    number = own
    const item = reader.read(line)
    if (item !== null) current.push(item)
  }
  if (current.length > 0) yield current
}

/**
 * Reads examples with a model: in order, a window of lines at a time, batches sorted by length within it. What it holds
 * is bounded: two windows, however long the file.
 */
export async function* answers(
  model: TextModel,
  output: string,
  lines: AsyncIterable<Line>,
  reader: ExampleReader,
  { batch = 32, threads = availableParallelism(), onProgress }: PipelineOptions = {},
): AsyncGenerator<Answer | BadLine> {
  const limit = limiter(Math.max(1, threads))
  const start = async (items: Item[]): Promise<(Answer | BadLine)[]> => {
    const rows = items.flatMap((item) => (isBad(item) ? [] : [item]))
    const features = rows.map(({ text, textB }) => makeFeatures(model.tokenizer, text, textB, model.maxLength))
    const found = new Map<Example, Answer>()
    const take = async (b: Batch): Promise<void> => {
      const values = await limit(() => model.run(b, output))
      b.places.forEach((place, row) => {
        const example = rows[place]!
        found.set(example, { example, ...rowOf(values, row), tokens: features[place]!.input_ids.length })
      })
    }
    await Promise.all(makeBatches(features, batch).map(take))
    return items.map((item) => (isBad(item) ? item : found.get(item)!))
  }
  let done = 0
  let before: Promise<(Answer | BadLine)[]> | null = null
  for await (const items of windows(lines, reader)) {
    const next = start(items)
    // An error is thrown where the result is asked for.
    next.catch(() => undefined)
    if (before !== null) {
      const ready = await before
      yield* ready
      onProgress?.((done += ready.length))
    }
    before = next
  }
  if (before !== null) {
    const ready = await before
    yield* ready
    onProgress?.(done + ready.length)
  }
}
