import { parentPort, workerData } from 'node:worker_threads'
import { failureOf, type Failure } from '../../base/error-transfer.js'
import type { AlbertModel } from '../../model/albert.js'
import type { ModelInputs } from '../../model/reference/run.js'
import { openRunner, type NamedTensor, type RunnableFile } from '../../runtime/runners.js'
import { runnerData, type RunnerData } from './runner-data.js'
import { RemoteSource, type Remote } from '../reference/remote-source.js'

/** Thread that runs one model in one runner (`open.ts`). */

/** Runner to open on a file, or on a model whose weights another thread reads. */
export interface RunnerPlan {
  readonly name: string
  readonly what: RunnableFile | { readonly model: AlbertModel; readonly remote: Remote }
}

export interface RunnerRequest {
  readonly inputs: ModelInputs
  readonly wanted: readonly string[] | undefined
}

export type RunnerAnswer =
  | { readonly runner: RunnerData }
  | { readonly outputs: ReadonlyMap<string, NamedTensor> }
  | { readonly failure: Failure }

/** Answers what `work` gives, or its error. */
async function answer(work: () => Promise<RunnerAnswer>): Promise<void> {
  try {
    parentPort?.postMessage(await work())
  } catch (error) {
    parentPort?.postMessage({ failure: failureOf(error) } satisfies RunnerAnswer)
  }
}

if (parentPort !== null) {
  const { name, what } = workerData as RunnerPlan
  const opened = openRunner(name, 'remote' in what ? { ...what, source: new RemoteSource(what.remote) } : what)
  void answer(async () => ({ runner: runnerData(await opened) }))
  parentPort.on('message', ({ inputs, wanted }: RunnerRequest) => {
    void answer(async () => ({ outputs: await (await opened).run(inputs, wanted) }))
  })
}
