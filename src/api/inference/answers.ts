import { WINDOW } from '../../sharding/window.js'
import { isBad, type BadLine, type Example } from '../../text/data/examples.js'
import { PAUSE, withPauses } from './pauses.js'
import type { Entry } from './entries.js'
import type { TextModel } from './text-model.js'
import { DEFAULT_BATCH, rowAt, type Reading, type TextInput, type WindowRows } from './window.js'

/** Progress of reading a file: a whole number of windows, all of whose answers have been consumed. */
export interface Progress {
  /** Lines read so far. */
  readonly lines: number
  /** Number of the next line, and its byte offset if known. */
  readonly nextLine: number
  readonly offset: number | null
  /** Texts of this reading whose end was cut off. */
  readonly cut: number
}

export interface AnswerOptions {
  /** Rows per batch; default 32. */
  readonly batch?: number
  /** Number of sessions, each in its own thread; default one per core, as far as memory allows. */
  readonly threads?: number
  /**
   * Milliseconds without input after which the lines so far are answered although their window is incomplete, for typed
   * input. Batches, and so the last digits of an answer, may then depend on the timing of lines.
   */
  readonly patience?: number
  /** Called after each window. */
  readonly onProgress?: (progress: Progress) => void
}

/** Output of the model for one example. */
export interface Answer {
  readonly example: Example
  readonly values: Float32Array
}

type Item = Example | BadLine

interface Window {
  readonly items: readonly Item[]
  readonly lines: number
  readonly last: Entry
  /** True if no more input is available for now. */
  readonly paused: boolean
}

/** Error that ends the input early, and the incomplete window before it. */
interface Failure {
  readonly window: Window | null
  readonly error: unknown
}

const inputOf = ({ features, text, textB }: Example): TextInput => features ?? [text, textB]

/** Groups lines by windows counted from the start of the file, so that a line's batch depends on nothing else. */
async function* windows(entries: AsyncIterable<Entry | typeof PAUSE>): AsyncGenerator<Window | Failure> {
  let items: Item[] = []
  let [count, number] = [0, -1]
  let last: Entry | null = null
  const take = (paused: boolean): Window | null => {
    const window = last === null || count === 0 ? null : { items, lines: count, last, paused }
    ;[items, count] = [[], 0]
    return window
  }
  const iterator = entries[Symbol.asyncIterator]()
  try {
    for (;;) {
      let next: IteratorResult<Entry | typeof PAUSE, unknown>
      try {
        next = await iterator.next()
      } catch (error) {
        yield { window: take(true), error }
        return
      }
      const entry = next.done === true ? null : next.value
      const own = entry === null || entry === PAUSE ? -1 : Math.floor((entry.number - 1) / WINDOW)
      if (own !== number) {
        const window = take(entry === PAUSE)
        if (window !== null) yield window
      }
      if (entry === null) return
      if (entry === PAUSE) continue
      ;[number, last] = [own, entry]
      count++
      if (entry.item !== null) items.push(entry.item)
    }
  } finally {
    await iterator.return?.()
  }
}

function* answersOf({ items }: Window, rows: WindowRows): Generator<Answer | BadLine> {
  let row = 0
  for (const item of items) {
    if (isBad(item)) yield item
    else yield { example: item, values: rowAt(rows, row++) }
  }
}

/**
 * Runs a model on examples, in order: a window of lines at a time, batches sorted by length within it, several windows
 * at once in threads. Memory is bounded by the number of threads, however long the file. If the input cannot be read to
 * its end, the lines before are answered, then the error is thrown.
 */
export async function* answers(
  model: TextModel,
  reading: Omit<Reading, 'batch'>,
  entries: AsyncIterable<Entry>,
  { batch = DEFAULT_BATCH, threads, patience, onProgress }: AnswerOptions = {},
): AsyncGenerator<Answer | BadLine> {
  const pool = model.pool(threads, batch)
  const flying: { window: Window; rows: Promise<WindowRows> }[] = []
  let [done, cut] = [0, 0]
  const start = (window: Window): void => {
    const inputs = window.items.flatMap((item) => (isBad(item) ? [] : [inputOf(item)]))
    const rows = pool.read(inputs, { ...reading, batch })
    // The error is thrown when the result is awaited.
    rows.catch(() => undefined)
    flying.push({ window, rows })
  }
  async function* land(): AsyncGenerator<Answer | BadLine> {
    const { window, rows } = flying.shift()!
    const read = await rows
    yield* answersOf(window, read)
    done += window.lines
    cut += read.cut
    const { last } = window
    onProgress?.({ lines: done, nextLine: last.next ?? last.number + 1, offset: last.end ?? null, cut })
  }
  for await (const next of windows(patience === undefined ? entries : withPauses(entries, patience))) {
    if ('error' in next) {
      while (flying.length > 0) yield* land()
      if (next.window !== null) {
        start(next.window)
        // An incomplete window is not a position to resume from.
        const { window, rows } = flying.shift()!
        yield* answersOf(window, await rows)
      }
      throw next.error
    }
    start(next)
    while (flying.length > (next.paused ? 0 : pool.width)) yield* land()
  }
  while (flying.length > 0) yield* land()
}

/** What `of` makes of each answer, in order; those of unusable lines are left out. */
export async function usable<T extends object, U>(
  found: AsyncIterable<T | BadLine>,
  of: (answer: T) => U,
): Promise<U[]> {
  const all: U[] = []
  for await (const one of found) if (!isBad(one)) all.push(of(one))
  return all
}

/** Runs a model on examples as `answers` does, and gives what `read` makes of each answer; unusable lines pass through. */
export async function* mapAnswers<T>(
  model: TextModel,
  reading: Omit<Reading, 'batch'>,
  entries: AsyncIterable<Entry>,
  options: AnswerOptions,
  read: (answer: Answer) => T,
): AsyncGenerator<T | BadLine> {
  for await (const answer of answers(model, reading, entries, options)) yield isBad(answer) ? answer : read(answer)
}
