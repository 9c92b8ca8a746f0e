import { answerRequests } from '../../base/asked-process.js'
import { openRunner, type NamedTensor, type Runner } from '../../runtime/runners.js'
import { runnerData, type RunnerData } from './runner-data.js'
import type { ProcessRequest } from './process-runner.js'

/** Process in which the runner of a `ProcessRunner` runs: it can be ended while a native runtime computes. */

export type ProcessReply = { readonly runner: RunnerData } | { readonly outputs: ReadonlyMap<string, NamedTensor> }

let opened: Runner | null = null

answerRequests(async (request: ProcessRequest): Promise<ProcessReply> => {
  if ('open' in request) {
    const { name, what, options } = request.open
    opened = await openRunner(name, what, options)
    return { runner: runnerData(opened) }
  }
  return { outputs: await opened!.run(request.inputs, request.wanted) }
})
