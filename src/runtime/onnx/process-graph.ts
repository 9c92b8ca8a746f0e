import { processFile, startProcess } from '../../base/child-process.js'
import { errorOf } from '../../base/error-transfer.js'
import { environment } from '../../base/errors.js'
import type { GraphAnswer, GraphRequest, SentTensor } from './graph-process.js'
import { GraphSession, type Graph, type GraphResults, type GraphTensor } from './graph-session.js'

const PROCESS = processFile(new URL('./graph-process.js', import.meta.url))

interface Waiting {
  readonly resolve: (results: GraphResults) => void
  readonly reject: (error: Error) => void
}

/**
 * A graph that a separate process runs, on the CPU: that process is killed if this one is interrupted, while a native
 * runtime that computes in this one would have to be waited for.
 */
class ProcessGraph implements Graph {
  readonly #waiting = new Map<number, Waiting>()
  readonly #process: ReturnType<typeof startProcess>
  #next = 0
  #closed = false

  constructor(
    file: string,
    readonly detail: string,
  ) {
    this.#process = startProcess(file, 'advanced')
    const { child, forget } = this.#process
    child.on('message', (answer: GraphAnswer) => {
      const waiting = this.#waiting.get(answer.id)
      this.#waiting.delete(answer.id)
      if ('results' in answer) waiting?.resolve(answer.results)
      else waiting?.reject(errorOf(answer.failure))
    })
    const ended = (how: string): void => {
      forget()
      if (this.#closed) return
      const error = environment(`the process of the graph ${how}`, {
        code: 'process-failed',
        hint: 'a large model needs much memory: use a smaller batch',
      })
      for (const { reject } of this.#waiting.values()) reject(error)
      this.#waiting.clear()
    }
    child.once('error', (error) => {
      ended(`could not be used: ${error.message}`)
    })
    child.once('exit', (code, signal) => {
      ended(signal === null ? `ended with exit code ${String(code)}` : `crashed (${signal})`)
    })
  }

  floats(data: Float32Array, dims: readonly number[]): SentTensor {
    return { type: 'floats', data, dims }
  }

  ids(data: Int32Array, dims: readonly number[]): SentTensor {
    return { type: 'ids', data, dims }
  }

  bytes(data: Uint8Array, dims: readonly number[]): SentTensor {
    return { type: 'bytes', data, dims }
  }

  ask(request: GraphRequest['ask']): Promise<GraphResults> {
    const id = this.#next++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      // A process that has ended rejects what waits for it.
      this.#process.child.send({ id, ask: request } satisfies GraphRequest, () => undefined)
    })
  }

  async keep(tensors: Readonly<Record<string, GraphTensor>>): Promise<void> {
    await this.ask({ keep: tensors as Readonly<Record<string, SentTensor>> })
  }

  async run(
    feeds: Readonly<Record<string, GraphTensor>>,
    fetches: Readonly<Record<string, GraphTensor | null>>,
  ): Promise<GraphResults> {
    const results = await this.ask({
      feeds: feeds as Readonly<Record<string, SentTensor>>,
      fetches: Object.keys(fetches),
    })
    for (const [name, target] of Object.entries(fetches))
      if (target !== null) (target.data as Float32Array).set(results[name]!.data)
    return results
  }

  close(): Promise<void> {
    this.#closed = true
    this.#process.forget()
    this.#process.child.kill('SIGKILL')
    return Promise.resolve()
  }
}

/**
 * Loads a graph in a process of its own; in this one if the code runs as TypeScript.
 * @throws AlbertkitError as `openGraph`
 */
export async function openGraphApart(bytes: Uint8Array, name: string): Promise<Graph> {
  const here = await GraphSession.open(bytes, name, {})
  if (PROCESS === null) return here
  const { detail } = here
  await here.close()
  const graph = new ProcessGraph(PROCESS, detail)
  try {
    await graph.ask({ open: bytes, name })
    return graph
  } catch (error) {
    await graph.close()
    throw error
  }
}
