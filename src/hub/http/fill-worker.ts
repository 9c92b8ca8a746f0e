import { workerData, type MessagePort } from 'node:worker_threads'
import { failureOf } from '../../base/error-transfer.js'
import { fill, fillWhole, type FillRequest } from './fill.js'
import { lookAt, lookFor } from './look.js'
import type { SinkFile } from './sink.js'

/** Thread that asks servers, and fetches ranges of files into files on disk, while the reading thread waits. */

export interface FetchTask {
  readonly fill?: FillRequest
  readonly whole?: { readonly url: string; readonly target: SinkFile }
  readonly look?: { readonly url: string; readonly token: string | undefined; readonly isNamed: boolean }
}

/** What the thread and its owner share: whether it works, and the bytes that arrived. */
export interface FetchShared {
  readonly state: Int32Array
  readonly bytes: BigInt64Array
}

const { shared, port } = workerData as { readonly shared: FetchShared; readonly port: MessagePort }

const count = (bytes: number): void => {
  Atomics.add(shared.bytes, 0, BigInt(bytes))
}

function answer({ fill: range, whole, look }: FetchTask): Promise<unknown> {
  if (range !== undefined) return fill(range, count)
  if (whole !== undefined) return fillWhole(whole.url, whole.target, count)
  return look!.isNamed ? lookAt(look!.url, look!.token) : lookFor(look!.url)
}

port.on('message', (task: FetchTask) => {
  void answer(task)
    .then(
      (result) => ({ result }),
      (error: unknown) => ({ failure: failureOf(error) }),
    )
    .then((message) => {
      port.postMessage(message)
      Atomics.store(shared.state, 0, 1)
      Atomics.notify(shared.state, 0)
    })
})
