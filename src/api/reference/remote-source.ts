import { MessageChannel, receiveMessageOnPort, type MessagePort } from 'node:worker_threads'
import { errorOf, failureOf, type Failure } from '../../base/error-transfer.js'
import type { TensorInfo, TensorSource } from '../../formats/core/source.js'

/** Source whose weights are read by the thread that opened it, while the calling thread waits. */

/** Bytes that are read at a time: the thread of the files stays free for signals and progress. */
const PIECE = 4 * 1024 * 1024

const [IDLE, READ, FAILED] = [0, 1, 2]

interface Request {
  readonly name: string
  readonly offset: number
  readonly length: number
}

/** Message to the reading thread with all that it needs; `port` is transferred. */
export interface Remote {
  readonly format: string
  readonly tensors: ReadonlyMap<string, TensorInfo>
  readonly port: MessagePort
  readonly piece: SharedArrayBuffer
  readonly state: Int32Array
}

/** Answers the requests of a `RemoteSource` from `source`, until `close` is called. */
export function serve(source: TensorSource): { readonly remote: Remote; readonly close: () => void } {
  const { port1: ours, port2: port } = new MessageChannel()
  const piece = new SharedArrayBuffer(PIECE)
  const state = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  // Readers need not know of shared memory, which some functions of Node refuse.
  const bytes = new Uint8Array(PIECE)
  ours.on('message', ({ name, offset, length }: Request) => {
    let answer = READ
    try {
      const part = bytes.subarray(0, length)
      source.read(name, offset, part)
      new Uint8Array(piece).set(part)
    } catch (error) {
      ours.postMessage(failureOf(error))
      answer = FAILED
    }
    Atomics.store(state, 0, answer)
    Atomics.notify(state, 0)
  })
  // Functions do not pass; a step of quantisation is of no use there.
  const tensors = [...source.tensors].map(([name, { stepAt: _, ...info }]) => [name, info] as const)
  return {
    remote: { format: source.format, tensors: new Map(tensors), port, piece, state },
    close: () => {
      ours.close()
    },
  }
}

/** A source whose files another thread reads. */
export class RemoteSource implements TensorSource {
  readonly files: readonly string[] = []
  readonly notes: readonly string[] = []
  readonly format: string
  readonly tensors: ReadonlyMap<string, TensorInfo>
  readonly #remote: Remote

  constructor(remote: Remote) {
    this.format = remote.format
    this.tensors = remote.tensors
    this.#remote = remote
  }

  read(name: string, offset: number, target: Uint8Array): void {
    const { port, piece, state } = this.#remote
    for (let done = 0; done < target.length; done += PIECE) {
      const length = Math.min(PIECE, target.length - done)
      Atomics.store(state, 0, IDLE)
      port.postMessage({ name, offset: offset + done, length } satisfies Request)
      Atomics.wait(state, 0, IDLE)
      if (Atomics.load(state, 0) === FAILED)
        throw errorOf((receiveMessageOnPort(port) as { readonly message: Failure }).message)
      target.set(new Uint8Array(piece, 0, length), done)
    }
  }

  /** Happens with the first bytes that are read. */
  verifyChecksum(): void {
    return
  }

  close(): void {
    this.#remote.port.close()
  }
}
