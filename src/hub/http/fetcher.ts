import { join } from 'node:path'
import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads'
import { errorOf, type Failure } from '../../base/error-transfer.js'
import { environment } from '../../base/errors.js'
import { temporaryFolder, type TemporaryFolder } from '../../base/temporary-folder.js'
import { system } from '../../files/write-port.js'
import { contained } from '../../formats/core/contained.js'
import type { Filled, FillRequest } from './fill.js'
import type { FetchShared, FetchTask } from './fill-worker.js'
import type { Looked } from './look.js'
import type { SinkFile } from './sink.js'

const WORKER = new URL('./fill-worker.js', import.meta.url)

/** A range is given up after this time, with all repetitions. The thread gives up much earlier. */
const GIVEN_UP = 60 * 60_000
/** Time between two looks at what has arrived, in ms. */
const TICK = 200

/** Asks servers and fetches ranges in a thread, and waits for it. */
export class Fetcher {
  readonly #shared: FetchShared = {
    state: new Int32Array(new SharedArrayBuffer(4)),
    bytes: new BigInt64Array(new SharedArrayBuffer(8)),
  }
  #folder: TemporaryFolder | null = null
  #worker: { readonly thread: Worker; readonly port: MessagePort } | null = null
  #files = 0

  /** A new temporary file. */
  newFile(): string {
    this.#folder ??= temporaryFolder()
    const file = join(this.#folder.path, String(this.#files++))
    system.close(system.open(file, 'wx'))
    return file
  }

  #start(): MessagePort {
    if (this.#worker !== null) return this.#worker.port
    const { port1, port2 } = new MessageChannel()
    const thread = new Worker(WORKER, { workerData: { shared: this.#shared, port: port2 }, transferList: [port2] })
    thread.unref()
    port1.unref()
    this.#worker = { thread, port: port1 }
    return port1
  }

  /** Waits for the thread; calls `tick` meanwhile with the bytes that arrived. */
  #ask(task: FetchTask, url: string, tick: (bytes: number) => void = () => undefined): unknown {
    const port = this.#start()
    const { state, bytes } = this.#shared
    Atomics.store(bytes, 0, 0n)
    Atomics.store(state, 0, 0)
    port.postMessage(task)
    contained(() => {
      while (Atomics.wait(state, 0, 0, TICK) === 'timed-out') tick(Number(Atomics.load(bytes, 0)))
    }, GIVEN_UP)
    tick(Number(Atomics.load(bytes, 0)))
    const answer = receiveMessageOnPort(port)?.message as { result: unknown } | { failure: Failure } | undefined
    if (answer === undefined)
      throw environment('the thread that fetches files ended', {
        code: 'process-failed',
        file: url,
        hint: 'try again; there may be too little memory',
      })
    if ('failure' in answer) throw errorOf(answer.failure)
    return answer.result
  }

  /** @throws AlbertkitError as `fill` */
  fill(asked: FillRequest, tick: (bytes: number) => void): Filled {
    return this.#ask({ fill: asked }, asked.url, tick) as Filled
  }

  /** Fetches a file whose length is not known. @returns its length @throws AlbertkitError as `fillWhole` */
  fillWhole(url: string, target: SinkFile, tick: (bytes: number) => void): number {
    return this.#ask({ whole: { url, target } }, url, tick) as number
  }

  /** @throws AlbertkitError as `lookAt` */
  lookAt(url: string, token: string | undefined): Looked {
    return this.#ask({ look: { url, token, isNamed: true } }, url) as Looked
  }

  /** @throws AlbertkitError as `lookFor` */
  lookFor(url: string): Looked | null {
    return this.#ask({ look: { url, token: undefined, isNamed: false } }, url) as Looked | null
  }

  close(): void {
    this.#worker?.port.close()
    void this.#worker?.thread.terminate()
    this.#worker = null
    this.#folder?.remove()
    this.#folder = null
  }
}
