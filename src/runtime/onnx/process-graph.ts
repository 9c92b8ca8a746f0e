import { AskedProcess } from '../../base/asked-process.js'
import { processFile } from '../../base/child-process.js'
import { environment, type AlbertkitError } from '../../base/errors.js'
import type { GraphReply, GraphRequest, SentTensor } from './graph-process.js'
import { openGraph, type Graph, type GraphResults, type GraphTensor } from './graph-session.js'

const PROCESS = processFile(new URL('./graph-process.js', import.meta.url))

const failed = (how: string): AlbertkitError =>
  environment(`the process of the graph ${how}`, {
    code: 'process-failed',
    hint: 'a large model needs much memory: use a smaller batch',
  })

/**
 * A graph that a separate process runs, on the CPU: that process is killed if this one is interrupted, while a native
 * runtime that computes in this one would have to be waited for.
 */
class ProcessGraph implements Graph {
  constructor(
    readonly process: AskedProcess<GraphRequest, GraphReply>,
    readonly detail: string,
  ) {}

  floats(data: Float32Array, dims: readonly number[]): SentTensor {
    return { type: 'floats', data, dims }
  }

  ids(data: Int32Array, dims: readonly number[]): SentTensor {
    return { type: 'ids', data, dims }
  }

  bytes(data: Uint8Array, dims: readonly number[]): SentTensor {
    return { type: 'bytes', data, dims }
  }

  async keep(tensors: Readonly<Record<string, GraphTensor>>): Promise<void> {
    await this.process.ask({ keep: tensors as Readonly<Record<string, SentTensor>> })
  }

  async run(
    feeds: Readonly<Record<string, GraphTensor>>,
    fetches: Readonly<Record<string, GraphTensor | null>>,
  ): Promise<GraphResults> {
    const { results } = await this.process.ask({
      feeds: feeds as Readonly<Record<string, SentTensor>>,
      fetches: Object.keys(fetches),
    })
    for (const [name, target] of Object.entries(fetches))
      if (target !== null) (target.data as Float32Array).set(results[name]!.data)
    return results
  }

  close(): Promise<void> {
    this.process.close()
    return Promise.resolve()
  }
}

/**
 * Loads a graph in a process of its own; in this one if the code runs as TypeScript.
 * @throws AlbertkitError as `openGraph`
 */
export async function openGraphApart(bytes: Uint8Array, name: string): Promise<Graph> {
  if (PROCESS === null) return openGraph(bytes, name)
  const process = new AskedProcess<GraphRequest, GraphReply>(PROCESS, failed, 'advanced')
  try {
    const { detail } = await process.ask({ open: bytes, name })
    return new ProcessGraph(process, detail)
  } catch (error) {
    process.close()
    throw error
  }
}
