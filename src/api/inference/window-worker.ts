import { parentPort, workerData } from 'node:worker_threads'
import { failureOf, type Failure } from '../../base/error-transfer.js'
import { omitUndefined } from '../../base/omit-undefined.js'
import { memoryFiles } from '../../files/memory.js'
import { loadTokenizer } from '../../text/tokenizers/load.js'
import { setAll, takeFrom, type BatchCounts } from './batch-counts.js'
import { openFile, runBatch, type TextRunner } from './runners.js'
import type { VectorPlan } from './sentence/vectors.js'
import { readPart, type Readable, type Reading, type TextInput, type WindowPart } from './window.js'

/** Thread of `WindowPool`, with its own session, which runs one window after the other. */

/** Data for a thread or process to open the same model again. */
export interface WorkerPlan {
  readonly runner: TextRunner
  readonly file: string
  readonly bytes: number
  /** The vocabulary and every file that belongs to it, since a thread may not have access to their source. */
  readonly tokenizer: { readonly file: string; readonly contents: readonly (readonly [string, Uint8Array])[] }
  readonly lowerCase: boolean | undefined
  readonly maxLength: number
  readonly vectors: VectorPlan | null
  /** Floating-point operations per token. */
  readonly flopsPerToken: number
}

export interface WorkerTask {
  readonly plan: WorkerPlan
  /** Shared number; the thread ends when it is not 0. */
  readonly stop: Int32Array
}

/** Window to run, and the requested output. */
export interface WindowTask {
  readonly inputs: readonly TextInput[]
  readonly reading: Reading
}

/** Window whose batches several threads may run. */
export interface SharedTask extends WindowTask {
  readonly batches: BatchCounts
}

export type WorkerAnswer = { readonly part: WindowPart } | { readonly failure: Failure }

async function open({ plan }: WorkerTask): Promise<{ model: Readable; close: () => Promise<void> }> {
  const runner = await openFile(plan.runner, plan.file)
  const model: Readable = {
    tokenizer: loadTokenizer(
      memoryFiles(plan.tokenizer.contents),
      plan.tokenizer.file,
      omitUndefined({ lowerCase: plan.lowerCase }),
    ),
    maxLength: plan.maxLength,
    vectors: plan.vectors,
    run: (batch, outputs) => runBatch(runner, batch, outputs),
  }
  return { model, close: () => runner.close() }
}

if (parentPort !== null) {
  const port = parentPort
  const task = workerData as WorkerTask
  const opened = open(task)
  // The error is reported with the first window.
  opened.catch(() => undefined)
  const isStopped = (): boolean => Atomics.load(task.stop, 0) !== 0
  // A null ends the thread.
  const answer = async (window: SharedTask | null): Promise<void> => {
    try {
      const { model, close } = await opened
      if (window === null) {
        await close()
        port.close()
        return
      }
      const { inputs, reading, batches } = window
      const onBatches = (all: number) => {
        setAll(batches, all)
      }
      const part = await readPart(model, inputs, reading, { take: takeFrom(batches), onBatches, isStopped })
      port.postMessage({ part } satisfies WorkerAnswer, [part.rows.values.buffer as ArrayBuffer])
    } catch (error) {
      if (window === null) port.close()
      else port.postMessage({ failure: failureOf(error) } satisfies WorkerAnswer)
    }
  }
  // Strictly in order: a session must not be closed while it runs.
  let last = Promise.resolve()
  port.on('message', (window: SharedTask | null) => {
    last = last.then(() => answer(window))
  })
}
