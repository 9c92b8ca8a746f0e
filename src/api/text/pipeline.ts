import { WINDOW } from '../../scale/line-index.js'
import { isBad, type BadLine, type Example, type ExampleReader } from '../../text/examples.js'
import type { Line } from '../../text/lines.js'
import type { TextModel } from './model.js'
import { WindowPool } from './pool.js'
import type { Reading, Rows } from './window.js'

/** How far the reading of a file is: a whole number of windows, all of whose answers have been taken. */
export interface Progress {
  /** Lines of this reading. */
  readonly lines: number
  /** Number of the next line, and where it begins, if that is known. */
  readonly nextLine: number
  readonly offset: number | null
}

export interface PipelineOptions {
  /** Rows in a batch; 32 if left out. */
  readonly batch?: number
  /** Sessions, each in a thread of its own; one a core, as far as memory goes, if left out. */
  readonly threads?: number
  /** Called after each window. */
  readonly onProgress?: (progress: Progress) => void
}

export const DEFAULT_BATCH = 32

/** What the model says of one example. */
export interface Answer {
  readonly example: Example
  readonly values: Float32Array
}

type Item = Example | BadLine

interface Window {
  readonly items: readonly Item[]
  readonly lines: number
  readonly last: Line
}

/** Groups lines by windows that are counted from the start of the file, so that a line's batch depends on nothing else. */
async function* windows(lines: AsyncIterable<Line>, reader: ExampleReader): AsyncGenerator<Window> {
  let items: Item[] = []
  let [count, number] = [0, -1]
  let last: Line | null = null
  for await (const line of lines) {
    const own = Math.floor((line.number - 1) / WINDOW)
    if (own !== number && last !== null) {
      yield { items, lines: count, last }
      ;[items, count] = [[], 0]
    }
    ;[number, last] = [own, line]
    count++
    const item = reader.read(line)
    if (item !== null) items.push(item)
  }
  if (last !== null && count > 0) yield { items, lines: count, last }
}

function* answersOf({ items }: Window, { width, values }: Rows): Generator<Answer | BadLine> {
  let row = 0
  for (const item of items) {
    if (isBad(item)) yield item
    else yield { example: item, values: values.subarray(width * row, width * ++row) }
  }
}

/**
 * Reads examples with a model: in order, a window of lines at a time, batches sorted by length within it, several
 * windows at once in threads. What it holds is bounded by the number of threads, however long the file.
 */
export async function* answers(
  model: TextModel,
  reading: Omit<Reading, 'batch'>,
  lines: AsyncIterable<Line>,
  reader: ExampleReader,
  { batch = DEFAULT_BATCH, threads, onProgress }: PipelineOptions = {},
): AsyncGenerator<Answer | BadLine> {
  const pool = new WindowPool(model, { ...reading, batch }, threads)
  const flying: { window: Window; rows: Promise<Rows> }[] = []
  let done = 0
  async function* land(): AsyncGenerator<Answer | BadLine> {
    const { window, rows } = flying.shift()!
    yield* answersOf(window, await rows)
    done += window.lines
    onProgress?.({ lines: done, nextLine: window.last.number + 1, offset: window.last.end ?? null })
  }
  try {
    for await (const window of windows(lines, reader)) {
      const texts = window.items.flatMap((item) => (isBad(item) ? [] : [[item.text, item.textB] as const]))
      const rows = pool.read(texts)
      // An error is thrown where the result is asked for.
      rows.catch(() => undefined)
      flying.push({ window, rows })
      if (flying.length > pool.width) yield* land()
    }
    while (flying.length > 0) yield* land()
  } finally {
    await pool.close()
  }
}
