import { closeSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads'
import { errorOf, type Failure } from '../../base/error-transfer.js'
import { environment } from '../../base/errors.js'
import { temporaryFolder, type TemporaryFolder } from '../../base/temporary-folder.js'
import { system } from '../../files/write-port.js'
import { contained } from '../../formats/core/contained.js'
import type { OpenFile } from '../../formats/core/file-port.js'
import type { TreeFile } from '../../formats/core/tree-port.js'
import type { FillAnswer, FillRequest } from './fill-worker.js'

const WORKER = new URL('./fill-worker.js', import.meta.url)

/** Smallest range that is asked for: a header and what lies around it. */
const BLOCK = 256 * 1024
/** Largest range: what is read in one go is asked for in ever larger ones. */
const LARGEST = 8 * 1024 * 1024
/** A range is given up after this time, with all repetitions. The thread gives up much earlier. */
const GIVEN_UP = 30 * 60_000

/** Fetches ranges in a thread and waits for them; its files lie in a temporary folder. */
export class Fetcher {
  readonly #state = new Int32Array(new SharedArrayBuffer(4))
  #folder: TemporaryFolder | null = null
  #worker: { readonly thread: Worker; readonly port: MessagePort } | null = null
  #files = 0

  /** A new file on disk that takes what is fetched. */
  newFile(): string {
    this.#folder ??= temporaryFolder()
    const file = join(this.#folder.path, String(this.#files++))
    system.close(system.open(file, 'wx'))
    return file
  }

  #start(): MessagePort {
    if (this.#worker !== null) return this.#worker.port
    const { port1, port2 } = new MessageChannel()
    const thread = new Worker(WORKER, { workerData: { state: this.#state, port: port2 }, transferList: [port2] })
    thread.unref()
    port1.unref()
    this.#worker = { thread, port: port1 }
    return port1
  }

  /** @throws AlbertkitError as the thread says, `environment` if it ended */
  fill(asked: FillRequest): FillAnswer {
    const port = this.#start()
    Atomics.store(this.#state, 0, 0)
    port.postMessage(asked)
    contained(() => Atomics.wait(this.#state, 0, 0), GIVEN_UP)
    const answer = receiveMessageOnPort(port)?.message as { range: FillAnswer } | { failure: Failure } | undefined
    if (answer === undefined)
      throw environment('the thread that fetches files ended', { code: 'process-failed', file: asked.url })
    if ('failure' in answer) throw errorOf(answer.failure)
    return answer.range
  }

  close(): void {
    this.#worker?.port.close()
    void this.#worker?.thread.terminate()
    this.#worker = null
    this.#folder?.remove()
    this.#folder = null
  }
}

/** A file of a server: what is known of it before it is read. */
export interface RemoteFacts {
  readonly url: string
  readonly token: string | undefined
  readonly size: number
  /** Changes if the contents do; null if the server says nothing of the kind. */
  readonly tag: string | null
}

/** Bytes of a file of a server; each travels once, and is read from a sparse file on disk from then on. */
export class RemoteFile implements TreeFile {
  readonly size: number
  /** Disjoint ranges that are there, ascending. */
  #ranges: FillAnswer[] = []
  #file: string | null = null
  #next = { offset: -1, length: BLOCK }

  constructor(
    readonly facts: RemoteFacts,
    readonly fetcher: Fetcher,
  ) {
    this.size = facts.size
  }

  /** Number of bytes from `offset` on that are there. */
  #present(offset: number): number {
    const range = this.#ranges.find(({ from, to }) => from <= offset && offset < to)
    return range === undefined ? 0 : range.to - offset
  }

  #add(added: FillAnswer): void {
    const [touching, apart] = [true, false].map((does) =>
      this.#ranges.filter(({ from, to }) => (from <= added.to && to >= added.from) === does),
    ) as [FillAnswer[], FillAnswer[]]
    const from = Math.min(added.from, ...touching.map((range) => range.from))
    const to = Math.max(added.to, ...touching.map((range) => range.to))
    this.#ranges = [...apart, { from, to }].sort((a, b) => a.from - b.from)
  }

  /** Fetches from `offset` on, further ahead the longer the file is read in order. */
  #fetch(file: string, offset: number): void {
    const length = offset === this.#next.offset ? Math.min(this.#next.length * 2, LARGEST) : BLOCK
    const before = this.#ranges.find(({ from }) => from > offset)?.from ?? this.size
    const to = Math.min(offset + length, before, this.size)
    this.#add(this.fetcher.fill({ ...this.facts, file, from: offset, to }))
    this.#next = { offset: to, length }
  }

  open(): OpenFile {
    this.#file ??= this.fetcher.newFile()
    const file = this.#file
    let descriptor: number | null = openSync(file, 'r')
    const { size } = this
    return {
      size,
      read: (offset, target) => {
        if (descriptor === null) throw new RangeError(`${this.facts.url} is closed`)
        if (offset >= size || target.length === 0) return 0
        if (this.#present(offset) === 0) this.#fetch(file, offset)
        const length = Math.min(target.length, this.#present(offset))
        return readSync(descriptor, target, 0, length, offset)
      },
      close: () => {
        if (descriptor !== null) closeSync(descriptor)
        descriptor = null
      },
    }
  }
}
