/// <reference lib="dom" />
import { failureOf } from '../../base/error-transfer.js'
import type { ProgressStep } from '../../base/abort.js'
import { usage } from '../../base/errors.js'
import { ownSources } from '../../base/sources.js'
import { useRuntimes } from '../runtimes/place.js'
import { openScratch } from '../system/scratch.js'
import { announceDeadlines } from '../system/vm.js'
import { answerFile } from './files.js'
import { BEFORE_OPTIONS, OPERATIONS } from './operations.js'
import type { KitAnswer, KitRequest, NumberedRequest } from './protocol.js'

/** The worker of `openKit`: runs the library on files of the page, one operation after another. */

const abortions = new Map<number, AbortController>()
let last: Promise<unknown> = Promise.resolve()

const tell = (answer: KitAnswer, transfer: Transferable[] = []): void => {
  globalThis.postMessage(answer, { transfer })
}

async function run(id: number, { operation, values }: Extract<KitRequest, { ask: 'run' }>): Promise<unknown> {
  if (!Object.hasOwn(OPERATIONS, operation)) throw usage(`there is no operation ${operation}`, { code: 'name-unknown' })
  const { signal } = abortions.get(id)!
  const before = BEFORE_OPTIONS[operation]
  const options = {
    ...(values[before] as object | undefined),
    signal,
    onProgress: (step: ProgressStep) => {
      tell({ id, step })
    },
  }
  const call = OPERATIONS[operation] as (...values: readonly unknown[]) => Promise<unknown>
  return ownSources(() => call(...values.slice(0, before), options))
}

/** Runs after everything that was asked for before. */
function queued<T>(body: () => Promise<T>): Promise<T> {
  const next = last.then(body)
  last = next.catch(() => undefined)
  return next
}

function answer(id: number, request: KitRequest): Promise<unknown> {
  if (request.ask === 'start') {
    useRuntimes(request.runtimes)
    return queued(openScratch)
  }
  if (request.ask !== 'run') return Promise.resolve().then(() => (request.ask === 'abort' ? null : answerFile(request)))
  abortions.set(id, new AbortController())
  return queued(() => run(id, request)).finally(() => abortions.delete(id))
}

const bytesOf = (result: unknown): Transferable[] =>
  result instanceof Uint8Array ? [result.buffer as ArrayBuffer] : []

announceDeadlines((deadline) => {
  tell({ deadline })
})

globalThis.onmessage = ({ data }: MessageEvent<NumberedRequest>): void => {
  const { id, ...request } = data
  if (request.ask === 'abort') {
    abortions.get(request.of)?.abort()
    return
  }
  answer(id, request).then(
    (result) => {
      tell({ id, result: result ?? null }, bytesOf(result))
    },
    (error: unknown) => {
      tell({ id, failure: failureOf(error) })
    },
  )
}
